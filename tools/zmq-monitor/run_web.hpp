// The verb `web`: the cluster in a browser.
#pragma once

#include "tools/hubctl/cluster_look.hpp"
#include "tools/hubctl/command_line.hpp"

namespace processhub::monitor {

hubctl::VerbRule web_rule();
/// Until SIGINT or SIGTERM. Prints "zmq-monitor: http://HOST:PORT/" once it listens.
Result<void> run_web(const hubctl::Command& command, const hubctl::LookOptions& options);

}  // namespace processhub::monitor
