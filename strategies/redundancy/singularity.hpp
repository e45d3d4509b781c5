// Singularity: one owner, and it is active.
#pragma once

#include <memory>

#include "processhub/strategy_catalog.hpp"

namespace processhub {

/// Options: none.
Result<std::unique_ptr<Redundancy>> make_singularity(const StrategyOptions& options);

}  // namespace processhub
