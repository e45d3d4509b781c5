// The live view on a terminal.
#pragma once

#include <chrono>

#include "tools/zmq-monitor/asking.hpp"

namespace processhub::monitor {

/// Until the user leaves, or SIGINT, SIGTERM or SIGHUP. Error: this terminal cannot show it.
Result<void> run_live_top(const LookOptions& options, std::chrono::milliseconds every);

}  // namespace processhub::monitor
