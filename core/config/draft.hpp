// A node's configuration while it is put together from a file and flags: the values, and where each was
// written, so that every later complaint can name the place.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/program_options.hpp"
#include "processhub/config.hpp"

namespace processhub::config {

struct HubDraft {
  HubConfig config{};
  std::map<std::string, std::vector<std::string>, std::less<>> where{};  ///< by option, one per value
  std::vector<std::string> child_where{};                                ///< beside config.static_children
  std::vector<std::string> hook_where{};                                 ///< beside config.hooks
};

struct NodeDraft {
  std::string path{};  ///< empty: no file
  std::string name{};
  std::string name_where{};
  std::vector<std::string> plugins{};
  std::string metrics{};
  bool log_json = false;
  std::vector<HubDraft> hubs{};
};

/// Keys of the node itself.
inline constexpr std::string_view kName = "name";
inline constexpr std::string_view kPlugin = "plugin";
inline constexpr std::string_view kMetrics = "metrics";
inline constexpr std::string_view kLogJson = "log_json";
/// The same key is not an option of a hub.
bool is_node_key(std::string_view key);

Result<NodeDraft> draft_from_file(const std::string& path);
/// `name` stands for the file's name in errors.
Result<NodeDraft> draft_from_text(const std::string& name, std::string_view text);
/// The file of --config, if there is one, with the flags on top.
Result<NodeDraft> draft_from_flags(int argc, const char* const* argv);
/// Sets hub options; a repeatable one loses the values it had before.
Result<void> apply_settings(HubDraft& hub, const std::vector<Setting>& settings);
/// The node's own keys; a list loses the values it had before.
Result<void> apply_node_settings(NodeDraft& node, const std::vector<Setting>& settings);
/// Checks the whole and gives every hub the node's name.
Result<NodeConfig> finish(NodeDraft node);

/// What is wrong with a hub's options.
struct Problem {
  std::string option{};   ///< "child" for a static child, "hook" for a hook
  std::size_t index = 0;  ///< of the value in a list, of the child or hook
  std::string text{};     ///< what was expected
};
std::optional<Problem> find_problem(const HubConfig& config);
/// What is wrong with a node's or hub's name as text; empty if nothing is.
std::string name_problem(std::string_view name);

}  // namespace processhub::config
