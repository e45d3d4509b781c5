// Cold swap: stop the worker here, then start it there; its state is not carried along.
#pragma once

#include <memory>

#include "processhub/strategy_catalog.hpp"

namespace processhub {

/// Options: none.
Result<std::unique_ptr<Migration>> make_cold_swap(const StrategyOptions& options);

}  // namespace processhub
