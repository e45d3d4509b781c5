// The strategies that come with the library.
#pragma once

#include "processhub/strategy_catalog.hpp"

namespace processhub {

StrategyCatalog builtin_strategies();

}  // namespace processhub
