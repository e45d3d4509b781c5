// The verb `tail`: events of all nodes, or with --messages every message that passes them, as they happen. It
// keeps one connection to each node.
#pragma once

#include "tools/hubctl/cluster_look.hpp"
#include "tools/hubctl/command_line.hpp"

namespace processhub::monitor {

hubctl::VerbRule tail_rule();
/// Until SIGINT, SIGTERM, or as long as --for says. Errors: nobody answered the first question; wrong usage
/// (invalid).
Result<void> run_tail(const hubctl::Command& command, const hubctl::LookOptions& options);

}  // namespace processhub::monitor
