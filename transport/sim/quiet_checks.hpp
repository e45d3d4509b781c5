// What must hold once faults have stopped and the cluster had time: the liveness half of the invariants.
//
//   I1  every live spec runs exactly on its owners, once, in every component
//   I2  all digests in a component are equal, so are the registries; nothing is listed on a node that is not
//   up I3  no acknowledged start is lost, no acknowledged stop undone I6  nothing is overdue I8  nothing is
//   locked, no hook pair is open
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transport/sim/owner_oracle.hpp"
#include "transport/sim/safety_checks.hpp"
#include "transport/sim/sim_cluster.hpp"

namespace processhub::sim {

/// Nodes that run and reach each other both ways, directly or through others; each sorted by name.
std::vector<std::vector<const SimNode*>> components(SimCluster& cluster);

class QuietChecks {
 public:
  QuietChecks(SimCluster& cluster, SafetyChecks& safety);

  /// What keeps the cluster from being as it should be; nothing: all is well.
  std::optional<Violation> problem();
  /// Lets time pass until there is no problem for `steady`. The problem that is left after `limit`, or a
  /// promise that was broken meanwhile; nothing: all is well.
  std::optional<Violation> wait(Duration limit, Duration steady);
  /// The same; after `limit` the problem is reported as a
  /// violation.
  bool settle(Duration limit, Duration steady = Duration(2'000'000));
  /// How long settle() took to the moment from which everything held.
  Duration settled_after() const { return settled_after_; }
  /// Facts of I3; only meaningful when every component is healed.
  std::optional<Violation> lost_fact();

 private:
  using Component = std::vector<const SimNode*>;
  using Records =
      std::vector<const protocol::ChildRecord*>;  ///< of one child, as each node of a component has it
  bool out_of_reach(const SimNode& node, NodeId other);
  std::optional<Violation> check_views(const Component& component);
  std::optional<Violation> check_quorum(const Component& component);
  std::optional<Violation> check_registries(const Component& component);
  std::optional<Violation> check_instances(const Component& component);
  std::optional<Violation> check_child(const Component& component, const Records& records);
  std::optional<Violation> check_listing(const Component& component, const Records& records,
                                         std::size_t owners);
  std::optional<Violation> check_locks(const Component& component);
  void prepare_owners(const Component& component);
  bool touched_otherwise(const Acknowledged& fact) const;
  bool ended_itself(const Acknowledged& fact) const;
  Violation broken(std::string invariant, std::string what) const;

  void find_workers(const Component& component);
  /// All that this id has in the component; in order of nodes.
  const std::vector<std::pair<const Activation*, bool>>& workers_of(const std::string& id) const;

  std::map<std::string, std::vector<std::pair<const Activation*, bool>>>
      workers_{};  ///< and whether they are up
  SimCluster& cluster_;
  SafetyChecks& safety_;
  OwnerOracle oracle_;
  bool has_quorum_ = true;  ///< the component that is looked at
  Duration settled_after_{};
};

}  // namespace processhub::sim
