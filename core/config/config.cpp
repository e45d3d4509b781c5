#include "processhub/config.hpp"

#include "core/config/draft.hpp"

namespace processhub {

Result<void> HubConfig::validate() const {
  const auto problem = config::find_problem(*this);
  if (!problem) return {};
  return {ErrorCode::invalid, problem->option + ": " + problem->text};
}

Result<HubConfig> HubConfig::from_file(const std::string& path) {
  auto node = NodeConfig::from_file(path);
  if (!node) return node.error();
  if (node->hubs.size() != 1) {
    return {ErrorCode::invalid, path + ": expected one hub, not " + std::to_string(node->hubs.size())};
  }
  if (!node->plugins.empty()) {
    return {ErrorCode::invalid,
            path + ": plugin: hubd loads plugins; a program registers its own worker types"};
  }
  return std::move(node->hubs.front());
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
