// What nodes without a quorum must and must not do.
#pragma once

#include <string>

#include "tests/live/support/process_cluster.hpp"
#include "tests/live/support/wires.hpp"

namespace live {

/// They say so, are locked, and list no child as running on one of them.
bool without_quorum(const ProcessCluster& cluster, const Names& side);
void require_without_quorum(const ProcessCluster& cluster, const Names& side);
/// `node` answers a start with `partitioned`.
void check_start_refused(const ProcessCluster& cluster, const std::string& node);

}  // namespace live
