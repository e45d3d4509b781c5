// The verbs `record` and `replay`: what `tail` shows is kept in a file and looked at later, without a
// cluster.
//
// A recording is text: a line of JSON each, first a header {"processhub_recording":1,"what":"events" or
// "messages","began_us","from":[addresses]}, then what `tail --json` prints.
#pragma once

#include <functional>
#include <istream>
#include <ostream>
#include <string>

#include "tools/hubctl/cluster_look.hpp"
#include "tools/hubctl/command_line.hpp"

namespace processhub::monitor {

/// What to show of a recording; empty parts let everything through.
struct ReplayFilter {
  std::string subject{};  ///< an id or, of events, a node
  std::string node{};
  std::string child{};  ///< an id, or the beginning of ids and `*`
  std::string kind{};   ///< call, cast ... or a message's name; of events the part: "moves", "workers"
  std::string topic{};  ///< a pattern
};

/// What `tail` takes, with a file.
hubctl::VerbRule record_rule(const hubctl::VerbRule& tail);
hubctl::VerbRule replay_rule();

/// Prints to std::cout what it sees, and returns an exit code when it ends.
using Tail = std::function<int(const hubctl::Command&)>;

/// FILE must not be there yet. Returns what `tail` returned. Errors: the file cannot be written (system,
/// invalid).
Result<int> record(const hubctl::Command& command, const hubctl::LookOptions& options, const Tail& tail);

/// Error: the first thing that is wrong with it, with its line ("FILE:7: ..."); what came before is printed.
Result<void> replay_file(const hubctl::Command& command, std::ostream& out);
Result<void> replay(std::istream& in, const std::string& name, const ReplayFilter& filter, bool json,
                    std::ostream& out);

}  // namespace processhub::monitor
