// The listing of all options, with defaults or with the values of a configuration. It is a file itself: read
// back, it gives these values.
#include "core/config/describe.hpp"

#include "core/config/child_options.hpp"
#include "core/config/draft.hpp"
#include "core/config/hook_options.hpp"
#include "core/config/option_table.hpp"
#include "processhub/config.hpp"

namespace processhub {
namespace {

using config::Option;

using Values = std::vector<std::string>;

/// One line per value, or one that shows the key without setting it.
std::string lines_of(std::string_view key, const Values& values) {
  std::string lines;
  for (const auto& value : values) lines += std::string(key) + " = " + value + "\n";
  return lines.empty() ? "# " + std::string(key) + " =\n" : lines;
}

std::string described(std::string_view meaning, std::string_view unit, const std::string& lines) {
  return "# " + std::string(meaning) + " [" + std::string(unit) + "]\n" + lines + "\n";
}

std::string describe_option(const Option& option, const HubConfig& hub, std::string_view key) {
  const std::string unit =
      config::unit_text(option) + (option.repeatable() ? ", may come several times" : "");
  return described(option.help, unit, lines_of(key, config::option_values(hub, option)));
}

/// The sections of the strategies that have options. `prefix`: "hub.ID." where a file has several hubs.
std::string describe_strategies(const HubConfig& hub, const std::string& prefix) {
  std::string out;
  for (const auto& kind : config::strategy_kinds()) {
    const auto& options = (hub.*kind.choice).options;
    if (options.empty()) continue;
    out += "[" + prefix + std::string(kind.name) + "]\n";
    for (const auto& [key, value] : options) out += lines_of(key, {value});
    out += "\n";
  }
  return out;
}

std::string describe_child(const ChildSpec& spec, const std::string& prefix) {
  std::string out = "[" + prefix + "child." + spec.id + "]\n";
  for (const auto& option : config::child_options()) {
    if (const auto value = option.get(spec); !value.empty()) out += lines_of(option.name, {value});
  }
  for (const auto& [key, value] : spec.metadata)
    out += lines_of(std::string(config::kMetadataPrefix) + key, {value});
  return out + "\n";
}

std::string describe_hook(const HookChoice& hook, const std::string& prefix) {
  return "[" + prefix + "hook." + hook.id + "]\n" + lines_of(config::kHookFunction, {hook.function}) +
         lines_of(config::kHookEvent, hook.events) +
         lines_of(config::kHookPriority, {std::to_string(hook.priority)}) + "\n";
}

std::string describe_hub(const HubConfig& hub, bool one_of_several) {
  const std::string prefix = one_of_several ? "hub." + hub.hub_id + "." : "";
  std::string out = one_of_several ? "[hub." + hub.hub_id + "]\n" : "";
  for (const auto& option : config::hub_options()) {
    if (option.name != config::kHubId) out += describe_option(option, hub, option.name);
  }
  if (!one_of_several)
    out += "[hub]\n" + describe_option(*config::find_hub_option(config::kHubId), hub, "id");
  out += describe_strategies(hub, prefix);
  for (const auto& child : hub.static_children) out += describe_child(child, prefix);
  for (const auto& hook : hub.hooks) out += describe_hook(hook, prefix);
  return out;
}

std::string describe_node(const NodeConfig& node) {
  std::string out =
      described("this node's name, unique in the cluster; default: host name and process id", "text",
                lines_of(config::kName, node.name.empty() ? Values{} : Values{node.name}));
  out +=
      described("shared library with worker types, for hubd; a relative path starts at the working directory",
                "path, may come several times", lines_of(config::kPlugin, node.plugins));
  out += described("where hubd answers Prometheus; everybody who reaches it may read it", "HOST:PORT",
                   lines_of(config::kMetrics, node.metrics.empty() ? Values{} : Values{node.metrics}));
  out += described("hubd writes each log line as a JSON object", "true or false",
                   lines_of(config::kLogJson, {node.log_json ? "true" : "false"}));
  for (const auto& hub : node.hubs) out += describe_hub(hub, node.hubs.size() > 1);
  return out;
}

std::string describe_child_section() {
  std::string out = "# [child.ID]  or, for several alike, [children.PREFIX] with count\n";
  for (const auto& option : config::child_options())
    out += described(option.help, option.unit, lines_of(option.name, {}));
  out += described("a value that travels with the child; any number of them", "text",
                   lines_of("metadata.NAME", {}));
  out += described("in [children.PREFIX] only: how many, named PREFIX-0, PREFIX-1, ...", "count",
                   lines_of(config::kCount, {}));
  return out;
}

std::string describe_hook_section() {
  return "# [hook.ID]  a function of a plugin is told of events\n" +
         described("name of the function, as registered by a plugin; required", "text",
                   lines_of(config::kHookFunction, {})) +
         described(
             "what it is told of: a hook, or child_data alone, which may change children before they start",
             "name, may come several times", lines_of(config::kHookEvent, {})) +
         described("lower numbers run first; default: 100", "count", lines_of(config::kHookPriority, {}));
}

constexpr const char* kFlags =
    "# On a command line: --key=value or --key value; a flag wins over the file, a list in flags replaces "
    "the file's.\n"
    "# With several hubs each has a section [hub.ID], its options in it, and flags are "
    "--hub.ID.key=value.\n\n";

}  // namespace

std::string NodeConfig::describe_options() {
  NodeConfig defaults;
  defaults.hubs.emplace_back();
  return "# Every option: meaning [unit], then its default. Lines that start with # have none.\n" +
         std::string(kFlags) + describe_node(defaults) +
         "# [distribution], [redundancy], [migration], [synchronization], [partition_tolerance]\n"
         "# Options of the chosen strategy, also --distribution.key=value and so on.\n\n" +
         describe_child_section() + describe_hook_section();
}

std::string config::describe(const NodeConfig& node) {
  return "# Every option: meaning [unit], then its value here. Lines that start with # have none.\n" +
         std::string(kFlags) + describe_node(node);
}

}  // namespace processhub
