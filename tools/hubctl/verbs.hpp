// Every verb of hubctl: what it takes, what it asks the cluster, how its answer is shown. To add one: a row
// in verbs.cpp.
#pragma once

#include <chrono>
#include <ostream>
#include <string>
#include <vector>

#include "tools/hubctl/command_line.hpp"
#include "tools/hubctl/json_payload.hpp"
#include "tools/hubctl/operations.hpp"

namespace processhub::hubctl {

/// What goes to the node; core/runtime/admin.hpp describes verbs and arguments.
struct Request {
  std::string verb{};
  Json args = Json::object();
};

struct Verb {
  VerbRule rule{};
  Result<Request> (*request)(const Command& command) = nullptr;  ///< null: done here, without a cluster
  void (*print)(std::ostream& out, const Json& answer, const Command& command) = nullptr;
  /// What the command asked to leave out of the answer; null: nothing.
  Json (*narrow)(Json answer, const Command& command) = nullptr;
  /// Instead of one request: a verb that takes several steps.
  Result<Json> (*run)(const Command& command, const LookOptions& options, const Progress& progress) = nullptr;
  /// What the user is asked before a verb that can do harm; null: nothing. Such a verb has the option --yes.
  const char* asks = nullptr;
};

const std::vector<Verb>& verbs();
std::vector<VerbRule> verb_rules();
const Verb& verb_named(const std::string& name);

}  // namespace processhub::hubctl
