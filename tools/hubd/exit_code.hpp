// What hubd says to whoever started it.
#pragma once

namespace processhub::hubd {

inline constexpr int kOk = 0;
inline constexpr int kRuntimeError = 1;
inline constexpr int kUsageError = 2;

}  // namespace processhub::hubd
