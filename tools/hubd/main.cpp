// hubd: a node from a file and flags. First lines on stdout: the bound address of each hub, in file order;
// logs go to stderr. SIGTERM or SIGINT drains and leaves; a second one, half a second or more later, does not
// wait. Exit codes: 0 left in
// order, 1 failed while running, 2 wrong usage or configuration.
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/describe.hpp"
#include "processhub/config.hpp"
#include "tools/hubd/daemon.hpp"
#include "tools/hubd/exit_code.hpp"
#include "tools/hubd/signals.hpp"

namespace {

using namespace processhub;

constexpr const char* kUsage =
    "usage: hubd [--config FILE] [--OPTION=VALUE | --OPTION VALUE]...\n"
    "\n"
    "Runs a node: its hubs, its plugins and its static children, as the file and the flags say.\n"
    "\n"
    "  --config FILE         an INI file; flags win over it\n"
    "  --name NAME           of this node, unique in the cluster (default: host name and process id)\n"
    "  --hub.id ID           nodes with the same id form a cluster (default: default)\n"
    "  --listen tcp://H:P    where this node is reached; port 0 picks a free one\n"
    "  --seed tcp://H:P      another node of the cluster; may come several times\n"
    "  --plugin FILE         shared library with worker types; may come several times\n"
    "  --metrics HOST:PORT   answers Prometheus there, at /metrics\n"
    "  --log_level LEVEL     trace, debug, info, warn, error or off; info,links=debug for components\n"
    "  --log-json            each log line is a JSON object\n"
    "  --print-config        lists every option with its default, unit and meaning; each is also a flag.\n"
    "                        With --config or other flags: with the values that these give\n"
    "  --version, --help\n"
    "\n"
    "Prints the bound address of each hub, one line each, when all run. SIGTERM or SIGINT: drain and leave.\n"
    "Exit codes: 0 left in order, 1 failed while running, 2 wrong usage or configuration.\n";

/// What to print instead of running, or nothing.
std::string information(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--help" || flag == "-h") return kUsage;
    if (flag == "--version") return "hubd " PROCESSHUB_VERSION "\n";
    if (flag == "--print-config" && argc == 2) return NodeConfig::describe_options();
  }
  return {};
}

/// Takes --print-config out of the arguments.
bool take_print_config(std::vector<const char*>& arguments) {
  return std::erase_if(arguments, [](std::string_view a) { return a == "--print-config"; }) > 0;
}

/// A switch for people; the option takes a value, as in a file.
void spell_out_log_json(std::vector<const char*>& arguments) {
  for (auto& argument : arguments)
    if (std::string_view(argument) == "--log-json") argument = "--log_json=true";
}

int complain(const Error& error) {
  std::fprintf(stderr, "hubd: %s\n", error.c_str());
  return error.code == ErrorCode::invalid ? hubd::kUsageError : hubd::kRuntimeError;
}

int run(const NodeConfig& config, hubd::Signals& signals) {
  auto daemon = hubd::Daemon::start(config);
  if (!daemon) return complain(daemon.error());
  for (const auto& address : daemon->addresses()) std::printf("%s\n", address.c_str());
  std::fflush(stdout);
  return daemon->run(signals);
}

}  // namespace

int main(int argc, char** argv) {
  const auto text = information(argc, argv);
  if (!text.empty()) {
    std::fputs(text.c_str(), stdout);
    return hubd::kOk;
  }
  hubd::Signals signals;  // before any thread starts, so that all inherit the mask
  std::vector<const char*> arguments(argv, argv + argc);
  spell_out_log_json(arguments);
  const bool only_print = take_print_config(arguments);
  const auto config = NodeConfig::from_command_line(static_cast<int>(arguments.size()), arguments.data());
  if (!config) {
    std::fprintf(stderr, "hubd: %s\n", config.error().c_str());
    return hubd::kUsageError;
  }
  if (!only_print) return run(*config, signals);
  std::fputs(config::describe(*config).c_str(), stdout);
  return hubd::kOk;
}
