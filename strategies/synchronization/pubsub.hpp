// Pub/sub synchronisation: every change is published at once; digests find what was lost.
#pragma once

#include <memory>

#include "processhub/strategy_catalog.hpp"

namespace processhub {

/// Options: none.
Result<std::unique_ptr<Synchronization>> make_pubsub(const StrategyOptions& options);

}  // namespace processhub
