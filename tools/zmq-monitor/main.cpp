// zmq-monitor: what goes on in a cluster, from one address. Read-only. Exit codes: see ExitCode; those of
// `check --nagios` are Nagios' own.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <thread>

#include "tools/hubctl/command_line.hpp"
#include "tools/zmq-monitor/asking.hpp"
#include "tools/zmq-monitor/record.hpp"
#include "tools/zmq-monitor/run_web.hpp"
#include "tools/zmq-monitor/tables.hpp"
#include "tools/zmq-monitor/tail.hpp"
#include "tools/zmq-monitor/top_terminal.hpp"

namespace {

using namespace processhub;
using namespace processhub::monitor;
using hubctl::Command;

enum ExitCode : int {
  kDone = 0,
  kFound = 1,   ///< doctor: something is critical, or a child is not known
  kUsage = 2,   ///< nothing was asked
  kNobody = 3,  ///< no address answered
};
constexpr int kNagiosUnknown = 3;

constexpr std::chrono::milliseconds kShortestEvery{
    100};  // of the live view: each look costs the nodes a little
// With a node that does not answer: short enough that doctor, who looks twice, is done in 5 s through a
// third.
constexpr std::chrono::milliseconds kPatience{1'500};

using Clock = std::chrono::steady_clock;

std::vector<hubctl::VerbRule> rules() {
  std::vector<hubctl::VerbRule> all = {
      {"top",
       "",
       "nodes and children, live on a terminal; ? there lists the keys. What is shown without a verb",
       0,
       0,
       {{"once", "", "a table, and no more; so it is where there is no terminal"},
        {"every", "TIME", "looks again after this (default: 1s)"}},
       {"tcp://10.0.0.1:7101", "top --once --json"}},
      {"views", "", "who sees whom; disagreements and one-way links below", 0, 0, {}, {}},
      {"locks", "", "who holds the event queues, and what waits behind", 0, 0, {}, {}},
      {"links", "", "every link between nodes: what ZeroMQ tells of it, what is queued", 0, 0, {}, {}},
      {"registry-diff", "", "digests of the registries, and the children on which they differ", 0, 0, {}, {}},
      {"explain", "ID", "why a child is where it is", 1, 1, {}, {"explain till"}},
      {"timeline",
       "[ID|NODE]",
       "what happened to a child or node, by the journals of all nodes",
       0,
       1,
       {},
       {}},
      tail_rule(),
      {"doctor", "", "what is wrong, and what to do about it", 0, 0, {}, {}},
      {"check",
       "",
       "doctor for other programs",
       0,
       0,
       {{"nagios", "", "one line, and the exit codes of Nagios"}},
       {"check --nagios"}},
      web_rule(),
  };
  const auto at = std::find_if(all.begin(), all.end(), [](const auto& rule) { return rule.name == "tail"; });
  const auto tail = *at;
  all.insert(std::next(at), {record_rule(tail), replay_rule()});
  return all;
}

int fail(const Error& error, int exit) {
  std::cerr << "zmq-monitor: " << error.message << std::endl;
  return exit;
}

/// Prints JSON or what `text` makes of it.
int show(const Command& command, const Json& json, const std::function<void(std::ostream&)>& text) {
  std::ostringstream out;
  if (command.json) {
    out << hubctl::to_line(json) << "\n";
  } else {
    text(out);
  }
  std::cout << out.str() << std::flush;
  return kDone;
}

bool on_terminal() { return ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0; }

int run_top(const Command& command, const LookOptions& options) {
  if (!command.has("once") && !command.json && on_terminal()) {
    auto every = hubctl::parse_duration(command.get("every", "1s"));
    if (!every) return fail(every.error(), kUsage);
    auto shown = run_live_top(options, std::max(*every, kShortestEvery));
    return shown ? kDone : fail(shown.error(), kUsage);
  }
  auto looks = look_twice(options);
  if (!looks) return fail(looks.error(), kNobody);
  const auto rows = top_view(looks->before, looks->now, looks->seconds);
  return show(command, rows, [&](std::ostream& out) { print_top(out, rows); });
}

/// A view that needs one look.
template <Json (*View)(const ClusterLook&), void (*Print)(std::ostream&, const Json&)>
int run_view(const Command& command, const LookOptions& options) {
  auto look = hubctl::look_at(options, look_questions());
  if (!look) return fail(look.error(), kNobody);
  const auto view = View(*look);
  return show(command, view, [&](std::ostream& out) { Print(out, view); });
}

int run_links(const Command& command, const LookOptions& options) {
  auto look = hubctl::look_at(options, look_questions());
  if (!look) return fail(look.error(), kNobody);
  const Json all{{"links", links_view(*look)}, {"sockets", sockets_view(*look)}};
  return show(command, all, [&](std::ostream& out) {
    print_links(out, all["links"]);
    print_sockets(out, all["sockets"]);
  });
}

int run_registry_diff(const Command& command, const LookOptions& options) {
  auto look = hubctl::look_at(options, look_questions_and({{"list"}}));
  if (!look) return fail(look.error(), kNobody);
  const auto diff = registry_diff(*look, answers_of(*look, look_questions().size()));
  return show(command, diff, [&](std::ostream& out) { print_registry_diff(out, diff); });
}

int run_explain(const Command& command, const LookOptions& options) {
  const auto& id = command.words[0];
  const auto child = explain(options, id);
  if (!child) return fail(child.error(), kNobody);
  show(command, *child, [&](std::ostream& out) { print_explanation(out, *child); });
  return child->value("known", false) ? kDone : kFound;
}

std::string subject_of(const Command& command) { return command.words.empty() ? "" : command.words[0]; }

int run_timeline(const Command& command, const LookOptions& options) {
  auto journals = ask_all(options, journal_question());
  if (!journals) return fail(journals.error(), kNobody);
  const auto events = timeline_view(subject_of(command), *journals);
  return show(command, events, [&](std::ostream& out) { print_events(out, events); });
}

int run_tail_verb(const Command& command, const LookOptions& options) {
  if (auto ran = run_tail(command, options); !ran)
    return fail(ran.error(), ran.error().code == ErrorCode::invalid ? kUsage : kNobody);
  return kDone;
}

int run_record(const Command& command, const LookOptions& options) {
  auto exit = record(command, options, [&](const Command& tail) { return run_tail_verb(tail, options); });
  return exit ? *exit : fail(exit.error(), kUsage);
}

int run_replay(const Command& command, const LookOptions&) {
  auto shown = replay_file(command, std::cout);
  std::cout << std::flush;
  return shown ? kDone : fail(shown.error(), kUsage);
}

Result<std::vector<Finding>> find_out(const LookOptions& options) {
  auto of = look_twice(options);
  if (!of) return of.error();
  return examine(*of);
}

int run_doctor(const Command& command, const LookOptions& options) {
  auto findings = find_out(options);
  if (!findings) return fail(findings.error(), kNobody);
  show(command, to_json(*findings), [&](std::ostream& out) { print_findings(out, *findings); });
  return worst(*findings) == Severity::critical ? kFound : kDone;
}

int run_check(const Command& command, const LookOptions& options) {
  if (!command.has("nagios")) return run_doctor(command, options);
  auto findings = find_out(options);
  if (!findings) {
    std::cout << "PROCESSHUB UNKNOWN - " << findings.error().message << "\n";
    return kNagiosUnknown;
  }
  print_nagios(std::cout, *findings);
  return static_cast<int>(worst(*findings));
}

int run_page(const Command& command, const LookOptions& options) {
  if (auto ran = run_web(command, options); !ran) return fail(ran.error(), kUsage);
  return kDone;
}

using Run = int (*)(const Command&, const LookOptions&);

const std::map<std::string, Run>& runs() {
  static const std::map<std::string, Run> kRuns = {
      {"top", run_top},
      {"views", run_view<membership_view, print_membership>},
      {"locks", run_view<locks_view, print_locks>},
      {"links", run_links},
      {"registry-diff", run_registry_diff},
      {"explain", run_explain},
      {"timeline", run_timeline},
      {"tail", run_tail_verb},
      {"record", run_record},
      {"replay", run_replay},
      {"doctor", run_doctor},
      {"check", run_check},
      {"web", run_page},
  };
  return kRuns;
}

/// Addresses alone are a wish to see the cluster.
std::vector<std::string> with_verb(std::vector<std::string> arguments) {
  bool address = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& one = arguments[i];
    const bool takes_value =
        one == "--connect" || one == "--timeout" || one == "--key" || one == "--server-key";
    address = address || one.rfind("--connect", 0) == 0;
    if (one == "--help" || one == "-h" || one == "--version" || one.rfind("--", 0) != 0) return arguments;
    if (takes_value) ++i;
  }
  if (address) arguments.emplace_back("top");
  return arguments;
}

/// Addresses may stand anywhere: "zmq-monitor tcp://10.0.0.1:7001 views".
std::vector<std::string> with_connect(const std::vector<std::string>& arguments) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool is_value = i > 0 && arguments[i - 1] == "--connect";
    if (arguments[i].rfind("tcp://", 0) == 0 && !is_value) out.emplace_back("--connect");
    out.push_back(arguments[i]);
  }
  return out;
}

int run(const std::vector<std::string>& arguments) {
  const hubctl::ProgramText text{
      "zmq-monitor", "shows what goes on in a ProcessHub cluster. tcp://HOST:PORT alone is --connect.",
      "0 done, 1 doctor found something critical, 2 wrong usage, 3 nobody answered."};
  auto parsed = hubctl::parse_command_line(with_verb(with_connect(arguments)), rules(), text);
  if (!parsed) return fail(parsed.error(), kUsage);
  if (!parsed->command) {
    std::cout << parsed->text << std::flush;
    return kDone;
  }
  const auto& command = *parsed->command;
  SecurityConfig security;
  security.secret_key_file = command.key_file;
  security.server_key_file = command.server_key_file;
  auto keys = client_options(security);
  if (!keys) return fail(keys.error(), kUsage);
  LookOptions options;
  options.endpoints = command.endpoints;
  options.client = *keys;
  options.client.max_frame_size = 1ULL << 30;
  options.patience = command.timeout_given ? command.timeout : kPatience;
  return runs().at(command.verb)(command, options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "zmq-monitor: %s\n", e.what());
    return kUsage;
  }
}
