// Where children belong, computed beside the core with a distribution and redundancy strategy of its own.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/hub_core.hpp"
#include "core/protocol/zone_spread.hpp"
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
  /// A role for each owner, in their order.
  std::vector<Role> roles(std::string_view id, const std::vector<NodeId>& owners) const;
  /// At most one active instance of a child within an agreed view.
  bool one_active() const { return strategies_.redundancy->one_active(); }
  /// What the partition tolerance asks for.
  QuorumPlan quorum_plan() const { return strategies_.partition_tolerance->plan(); }
  std::size_t needed(const QuorumView& view) const { return strategies_.partition_tolerance->needed(view); }
  bool singleton() const { return strategies_.redundancy->singleton(); }
  /// Best first. `kind`: what the spec says, `placement`: where somebody wished it to be, `placed`: where it
  /// was put by load.
  std::vector<NodeId> owners(std::string_view id, const ChildSpec& kind = {}, NodeId placement = {},
                             std::span<const NodeId> placed = {}) const;
  std::vector<NodeId> owners(const protocol::ChildRecord& record) const;

 private:
  bool has_role(NodeId node, const std::string& role) const;
  StrategySet strategies_;
  HubView view_{};
  protocol::ZoneSpread zones_{};
};

}  // namespace processhub::sim
