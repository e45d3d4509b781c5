// Time as the core sees it: handed in by whoever drives it, never read from a clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace processhub {

using Duration = std::chrono::microseconds;

/// A point on the driver's own time line (CLOCK_BOOTTIME in a program, virtual in the simulator).
using Time = std::chrono::microseconds;

inline constexpr Time kNever = Time::max();

}  // namespace processhub
