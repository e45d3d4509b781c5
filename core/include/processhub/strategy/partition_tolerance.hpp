// Partition tolerance decides whether this side of a cluster may run children.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include "processhub/ids.hpp"
#include "processhub/time.hpp"

namespace processhub {

/// What a quorum is counted from. A seat is a name that was admitted to the cluster by a quorum and has not
/// left it since; a crashed or unreachable node keeps its seat.
struct QuorumView {
  NodeId self{};
  std::size_t present = 0;  ///< nodes up and synced in this node's view, itself included
  bool formed = false;      ///< there are seats: `formed_by` nodes have met once
  std::size_t seats = 0;
  std::size_t seated = 0;  ///< seats whose node is present
};

/// What the strategy asks of the hub; read once.
struct QuorumPlan {
  /// A worker's turn starts only while a quorum has answered something sent within this time. Zero: no quorum
  /// is asked for, every side runs.
  Duration lease = std::chrono::seconds(2);
  /// A node whose address refuses connections counts as dead at once: its children are not waited for.
  bool trust_refused = false;
  bool count_seats = false;   ///< compare `seated`, not `present`, with what is needed
  std::size_t formed_by = 1;  ///< the seats are those of the first so many nodes that meet
  bool admits = true;         ///< newcomers get seats, if there is a quorum without them
  /// Seats belong to lives of nodes, and each change of them is decided by a majority of those that have one.
  bool by_vote = false;
  Duration forget_after = kNever;  ///< a lost node loses its seat, if a quorum held all the while
};

class PartitionTolerance {
 public:
  virtual ~PartitionTolerance() = default;
  virtual std::string_view name() const = 0;
  virtual QuorumPlan plan() const = 0;
  /// How many nodes there must be, this one included. With fewer this side is partitioned: its children stop
  /// and starts fail.
  virtual std::size_t needed(const QuorumView& view) const = 0;
};

}  // namespace processhub
