// Majority quorum: the side with more than half of all nodes that were ever admitted and did not leave runs
// the children, any other side nothing.
#pragma once

#include <memory>

#include "processhub/strategy_catalog.hpp"

namespace processhub {

/// Options: initial_cluster_size (default 1), track_max_size (default true: the size grows with the nodes
/// that are admitted), quorum_lease (2s), trust_refused (false).
Result<std::unique_ptr<PartitionTolerance>> make_majority_quorum(const StrategyOptions& options);

}  // namespace processhub
