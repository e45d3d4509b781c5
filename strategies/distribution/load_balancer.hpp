// Load balancer: new children go to the least loaded nodes and stay there. A node that goes loses its own to
// the others; one that joins gets new ones, and with `rebalance` some of the old.
#pragma once

#include <memory>

#include "processhub/strategy_catalog.hpp"

namespace processhub {

/// Options:
///   push_interval  how often nodes are measured (10s)
///   max_history, decay
///                  samples that count (30), and how much less each older one does (0.9)
///   cpu_weight, run_queue_weight, memory_weight, children_weight
///                  of the four measures, relative to each other (4, 2, 1, 3)
///   rebalance      children move between living nodes, too (false)
///   hysteresis     … of a node that has so much more than its share (0.2)
///   max_share      … at most so many of its children each push_interval (0.1)
Result<std::unique_ptr<Distribution>> make_load_balancer(const StrategyOptions& options);

}  // namespace processhub
