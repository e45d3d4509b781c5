// The one clock of the runtime: CLOCK_BOOTTIME, which goes on while the machine is suspended. Any thread.
#pragma once

#include <ctime>

#include "processhub/time.hpp"

namespace processhub::runtime {

inline Time boot_now() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::duration_cast<Time>(std::chrono::seconds(now.tv_sec) +
                                          std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace processhub::runtime
