// Guided: whoever starts a child names its nodes, and there it stays. A child whose node is gone waits for
// the node's return.
#pragma once

#include <memory>

#include "processhub/strategy_catalog.hpp"

namespace processhub {

/// No options.
Result<std::unique_ptr<Distribution>> make_guided(const StrategyOptions& options);

}  // namespace processhub
