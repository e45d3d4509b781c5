// Hot swap: the new worker is built before the old one ends, and gets its state and what waited for it.
#pragma once

#include <memory>

#include "processhub/strategy_catalog.hpp"

namespace processhub {

/// Options: handover, retention, confirm_handover, handover_data_wait, child_migration_timeout, fallback.
Result<std::unique_ptr<Migration>> make_hot_swap(const StrategyOptions& options);

}  // namespace processhub
