#include "processhub/config.hpp"

#include <utility>

#include "core/config/draft.hpp"

namespace processhub {
namespace {

Result<HubConfig> only_hub(Result<config::NodeDraft> draft) {
  if (!draft) return draft.error();
  const auto path = draft->path;
  auto node = config::finish(std::move(*draft));
  if (!node) return node.error();
  if (node->hubs.size() != 1) {
    return {ErrorCode::invalid, path + ": expected one hub, not " + std::to_string(node->hubs.size())};
  }
  if (!node->plugins.empty()) {
    return {ErrorCode::invalid,
            path + ": plugin: hubd loads plugins; a program registers its own worker types"};
  }
  if (!node->metrics.empty() || node->log_json)
    return {ErrorCode::invalid, path + ": metrics and log_json are options of hubd"};
  return std::move(node->hubs.front());
}

}  // namespace

Result<void> HubConfig::validate() const {
  const auto problem = config::find_problem(*this);
  if (!problem) return {};
  return {ErrorCode::invalid, problem->option + ": " + problem->text};
}

Result<HubConfig> HubConfig::from_file(const std::string& path) {
  return only_hub(config::draft_from_file(path));
}

Result<HubConfig> HubConfig::from_text(std::string_view text) {
  return only_hub(config::draft_from_text("text", text));
}

Result<NodeConfig> NodeConfig::from_file(const std::string& path) {
  auto draft = config::draft_from_file(path);
  if (!draft) return draft.error();
  return config::finish(std::move(*draft));
}

Result<NodeConfig> NodeConfig::from_command_line(int argc, const char* const* argv) {
  auto draft = config::draft_from_flags(argc, argv);
  if (!draft) return draft.error();
  return config::finish(std::move(*draft));
}

}  // namespace processhub
