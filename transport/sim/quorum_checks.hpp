// I10: no worker's turn starts unless its node could reach a quorum within the lease before: whom it could
// reach is judged from outside, whatever the nodes believe. And where two sides cannot both
// have a quorum, no turn starts in a worker while a later activation of its child is up on another node.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "transport/sim/owner_oracle.hpp"
#include "transport/sim/sim_cluster.hpp"

namespace processhub::sim {

class QuorumChecks {
 public:
  explicit QuorumChecks(SimCluster& cluster);

  /// A cut, a crash, a boot …, before or after it took effect.
  void on_world_changed();
  void on_turn(const SimNode& node);

 private:
  bool asked_for() const { return plan_.lease > Duration(0); }
  void find_reach();
  void check_turns();
  void check_late(const Handled& turn);
  void check_second(const Handled& turn);
  bool one_side_only() const;

  SimCluster& cluster_;
  OwnerOracle oracle_;
  const QuorumPlan plan_;
  bool stale_ = true;
  std::map<NodeId, std::set<NodeId>> reach_{};  ///< both ways, over others too
  std::map<NodeId, std::map<NodeId, Time>> last_reached_{};
  std::map<NodeId, std::vector<std::string>> seats_{};
  std::size_t seen_ = 0;  ///< of the messages that were handled
  std::map<Uid, std::vector<std::size_t>> activations_{};
  std::size_t known_ = 0;  ///< of the activations
};

}  // namespace processhub::sim
