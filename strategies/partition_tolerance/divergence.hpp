// Divergence: every side of a cut cluster goes on running all children; the copies meet again when it heals.
#pragma once

#include <memory>

#include "processhub/strategy_catalog.hpp"

namespace processhub {

/// Options: none.
Result<std::unique_ptr<PartitionTolerance>> make_divergence(const StrategyOptions& options);

}  // namespace processhub
