// I8: on every node hooks come in order: what is to come, the act, what came of it, each pair once.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "transport/sim/sim_cluster.hpp"

namespace processhub::sim {

class HookChecks {
 public:
  explicit HookChecks(SimCluster& cluster) : cluster_(cluster) {}

  void on_hook(const SimNode& node, const HookEvent& event);
  void on_start_worker(const SimNode& node, const protocol::effect::StartWorker& start);
  /// It does not live any more, and need not say what came of anything.
  void forget(NodeId node);
  /// Pairs that are still open, as text; empty: none.
  std::string open() const;

 private:
  struct Rule;
  void begin(const SimNode& node, const std::string& what);
  void end(const SimNode& node, const std::string& what);
  void announce(const SimNode& node, const std::string& what);
  void act(const SimNode& node, const std::string& what);
  void broken(const SimNode& node, const std::string& what);

  SimCluster& cluster_;
  std::map<std::pair<NodeId, std::string>, int> open_{};       ///< pre without its post so far
  std::map<std::pair<NodeId, std::string>, int> announced_{};  ///< may be followed by the act
  std::map<NodeId, int> priority_{};
  std::map<NodeId, bool> without_quorum_{};
};

}  // namespace processhub::sim
