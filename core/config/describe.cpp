// The listing of all options. It is a file itself: read back, it gives the defaults.
#include "core/config/child_options.hpp"
#include "core/config/draft.hpp"
#include "core/config/option_table.hpp"
#include "processhub/config.hpp"

namespace processhub {
namespace {

using config::Option;

/// A line that shows the key without setting it.
std::string unset(std::string_view key) { return "# " + std::string(key) + " =\n"; }

std::string described(std::string_view meaning, std::string_view unit, const std::string& line) {
  return "# " + std::string(meaning) + " [" + std::string(unit) + "]\n" + line + "\n";
}

std::string describe_option(const Option& option, const HubConfig& defaults, std::string_view key) {
  std::string lines;
  for (const auto& value : config::option_values(defaults, option))
    lines += std::string(key) + " = " + value + "\n";
  const std::string unit =
      config::unit_text(option) + (option.repeatable() ? ", may come several times" : "");
  return described(option.help, unit, lines.empty() ? unset(key) : lines);
}

std::string describe_child_section() {
  std::string out = "# [child.ID]  or, for several alike, [children.PREFIX] with count\n";
  for (const auto& option : config::child_options())
    out += described(option.help, option.unit, unset(option.name));
  out += described("a value that travels with the child; any number of them", "text", unset("metadata.NAME"));
  out += described("in [children.PREFIX] only: how many, named PREFIX-0, PREFIX-1, ...", "count",
                   unset(config::kCount));
  return out;
}

}  // namespace

std::string NodeConfig::describe_options() {
  std::string out =
      "# Every option: meaning [unit], then its default. Lines that start with # = have none.\n"
      "# On a command line: --key=value or --key value; a flag wins over the file, a list in flags replaces "
      "the file's.\n"
      "# With several hubs each has a section [hub.ID], its options in it, and flags are "
      "--hub.ID.key=value.\n\n";
  out += described("this node's name, unique in the cluster; default: host name and process id", "text",
                   unset(config::kName));
  out += described("shared library with worker types, for hubd", "path, may come several times",
                   unset(config::kPlugin));
  const HubConfig defaults;
  for (const auto& option : config::hub_options()) {
    if (option.name != config::kHubId) out += describe_option(option, defaults, option.name);
  }
  out += "[hub]\n" + describe_option(*config::find_hub_option(config::kHubId), defaults, "id");
  out +=
      "# [distribution], [redundancy], [migration], [synchronization], [partition_tolerance]\n"
      "# Options of the chosen strategy, also --distribution.key=value and so on.\n\n";
  out += describe_child_section();
  return out;
}

}  // namespace processhub
