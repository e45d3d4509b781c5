// A hook event as one line for the log (log_level = debug).
#pragma once

#include <string>

#include "processhub/hooks.hpp"

namespace processhub::runtime {

std::string text_of(const HookEvent& event);

}  // namespace processhub::runtime
