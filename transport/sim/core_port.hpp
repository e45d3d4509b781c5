// What the simulator drives: HubCore, or a stand-in with the same shape (a test's stub, a core broken on
// purpose).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/hub_core.hpp"

namespace processhub::sim {

/// A look into the core for the checkers.
struct CoreView {
  std::vector<NodeId> members{};     ///< the view: believed up, itself included, in order
  bool agreed = false;               ///< all members announced this view
  std::vector<std::string> seats{};  ///< names or lives that are counted for a quorum
};

/// Whether this node has the seat: its name, or its life.
inline bool is_seat_of(const std::string& seat, NodeId node) {
  return seat == node.name() || seat == node.str();
}

class CorePort {
 public:
  virtual ~CorePort() = default;
  virtual void start(Time now, protocol::Effects& fx) = 0;
  virtual void step(Time now, protocol::Event event, protocol::Effects& fx) = 0;
  virtual bool run(Time now, protocol::Effects& fx) = 0;
  virtual void flush(Time now, protocol::Effects& fx) = 0;
  virtual Time next_deadline() const = 0;
  /// No turn of a worker starts later, by the node's own clock.
  virtual Time turns_until() const { return kNever; }
  virtual std::vector<protocol::RegistryChange> take_registry_changes() = 0;
  virtual std::optional<protocol::ClusterSnapshot> take_cluster_change() = 0;
  virtual HubStats stats() const { return {}; }
  virtual CoreView view() const { return {}; }
};

using CoreFactory = std::function<std::unique_ptr<CorePort>(const protocol::Identity&, const HubConfig&)>;

/// The product: HubCore with the strategies that the config names, built in or from `strategies`. Throws
/// std::invalid_argument for a config that the catalogue rejects. `types`: of workers, that every node can
/// make; none: every type.
CoreFactory hub_core_factory(const StrategyCatalog& strategies = {}, protocol::OfferedTypes types = {});

}  // namespace processhub::sim
