// What must hold in a component of a cluster under faults, for eventually(). Counts and conditions, no times.
#pragma once

#include <string>

#include "tests/live/support/process_cluster.hpp"
#include "tests/live/support/wires.hpp"

namespace live {

/// Every node of `side` sees exactly `side` up.
bool sees_only(const ProcessCluster& cluster, const Names& side);
/// The state in which `asked` sees `node`; "" if it does not list it.
std::string state_of(const ProcessCluster& cluster, const std::string& asked, const std::string& node);
/// `side` is a quiet component: its nodes see each other and nobody else, each lists `count` children, each
/// running exactly once and there, and all digests are equal.
bool is_quiet_component(const ProcessCluster& cluster, const Names& side, std::size_t count);
/// The same for all living nodes.
bool is_quiet(const ProcessCluster& cluster, std::size_t count);
/// Waits for it; fails the test, with what the nodes say, if it does not come.
void require_quiet(const ProcessCluster& cluster, const Names& side, std::size_t count);
void require_quiet(const ProcessCluster& cluster, std::size_t count);
/// Starts `count` counters PREFIX-0 … on `node`; the test ends if that fails.
void start_counters(const ProcessCluster& cluster, const std::string& node, const std::string& prefix,
                    std::size_t count);
/// No living node ever wrote that another went down.
void check_nobody_died(const ProcessCluster& cluster);

}  // namespace live
