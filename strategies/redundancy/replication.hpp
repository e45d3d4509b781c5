// Replication: several owners of every child, each with an instance of its own.
#pragma once

#include <memory>

#include "processhub/strategy_catalog.hpp"

namespace processhub {

/// Options:
///   factor  how many nodes run a child, 1 to 1000, or cluster_size: all of them (2)
///   model   active_active: all instances are active; active_passive: the best owner's is (active_active)
///   signal  of which roles a worker is told: none, active, passive, all (all)
Result<std::unique_ptr<Redundancy>> make_replication(const StrategyOptions& options);

}  // namespace processhub
