// Where children belong, computed beside the core with a distribution and redundancy strategy of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "processhub/config.hpp"
#include "processhub/strategy_catalog.hpp"

namespace processhub::sim {

struct OwnerNode {
  NodeId id{};
  double weight = 1.0;
  std::string zone{};
  std::vector<std::string> roles{};
};

class OwnerOracle {
 public:
  /// Throws std::invalid_argument if the catalogue rejects the config.
  explicit OwnerOracle(const HubConfig& config, const StrategyCatalog& strategies = {});

  /// The members that may own children, in any order.
  void set_members(const std::vector<OwnerNode>& members);
  /// Best first. `kind`: what the spec says, `placement`: where somebody wished it to be.
  std::vector<NodeId> owners(std::string_view id, const ChildSpec& kind = {}, NodeId placement = {}) const;

 private:
  bool has_role(NodeId node, const std::string& role) const;
  StrategySet strategies_;
  HubView view_{};
};

}  // namespace processhub::sim
