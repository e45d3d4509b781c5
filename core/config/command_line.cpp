// Flags on top of a file. In a file with one hub a flag is an option's name; with several it is
// hub.ID.OPTION.
#include <algorithm>
#include <utility>

#include "core/config/draft.hpp"
#include "core/config/option_table.hpp"
#include "core/config/values.hpp"

namespace processhub::config {
namespace {

constexpr std::string_view kConfig = "config";
constexpr std::string_view kHubPrefix = "hub.";

AllowedKeys flags() {
  AllowedKeys keys;
  for (const auto key : {kConfig, kName, kMetrics, kLogJson}) keys.single.emplace_back(key);
  keys.repeatable = {std::string(kPlugin)};
  for (const auto& option : hub_options()) {
    (option.repeatable() ? keys.repeatable : keys.single).emplace_back(option.name);
  }
  for (const auto& kind : strategy_kinds()) keys.single.push_back(std::string(kind.name) + ".*");
  // Behind hub.ID. stands any of the above; a list may come several times.
  keys.repeatable.push_back(std::string(kHubPrefix) + "*");
  return keys;
}

std::string config_path(const std::vector<Setting>& settings) {
  const auto at =
      std::find_if(settings.begin(), settings.end(), [](const Setting& s) { return s.key == kConfig; });
  return at == settings.end() ? "" : at->value;
}

/// "hub.orders.listen" -> that hub, and the key becomes "listen".
Result<HubDraft*> take_hub(NodeDraft& node, Setting& setting) {
  const bool named = setting.key.starts_with(kHubPrefix) && setting.key != kHubId;
  if (!named) {
    if (node.hubs.size() == 1) return &node.hubs.front();
    return {ErrorCode::invalid, setting.where + ": the file has several hubs; write --hub.ID." + setting.key};
  }
  for (auto& hub : node.hubs) {
    const std::string prefix = std::string(kHubPrefix) + hub.config.hub_id + ".";
    if (!setting.key.starts_with(prefix)) continue;
    setting.key.erase(0, prefix.size());
    return &hub;
  }
  return {ErrorCode::invalid, setting.where + ": unknown option; there is no such hub"};
}

Result<void> check_repeats(const std::vector<Setting>& settings) {
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const auto* option = find_hub_option(settings[i].key);
    if (option && option->repeatable()) continue;
    for (std::size_t j = 0; j < i; ++j) {
      if (settings[j].key == settings[i].key)
        return {ErrorCode::invalid, settings[i].where + ": this option comes twice"};
    }
  }
  return {};
}

Result<void> apply_flags(NodeDraft& node, std::vector<Setting> settings) {
  if (auto ok = apply_node_settings(node, settings); !ok) return ok;
  std::map<HubDraft*, std::size_t> order;
  std::vector<std::pair<HubDraft*, std::vector<Setting>>> by_hub;
  for (auto& setting : settings) {
    if (setting.key == kConfig || is_node_key(setting.key)) continue;
    auto hub = take_hub(node, setting);
    if (!hub) return hub.error();
    const auto [at, fresh] = order.try_emplace(*hub, by_hub.size());
    if (fresh) by_hub.emplace_back(*hub, std::vector<Setting>{});
    by_hub[at->second].second.push_back(std::move(setting));
  }
  for (auto& [hub, of_hub] : by_hub) {
    if (auto ok = check_repeats(of_hub); !ok) return ok;
    if (auto ok = apply_settings(*hub, of_hub); !ok) return ok;
  }
  return {};
}

Result<NodeDraft> base_draft(const std::string& path) {
  if (!path.empty()) return draft_from_file(path);
  NodeDraft node;
  node.hubs.emplace_back();
  return node;
}

}  // namespace

Result<NodeDraft> draft_from_flags(int argc, const char* const* argv) {
  auto settings = parse_flags(argc, argv, flags());
  if (!settings) return settings.error();
  auto node = base_draft(config_path(*settings));
  if (!node) return node.error();
  if (auto ok = apply_flags(*node, std::move(*settings)); !ok) return ok.error();
  return node;
}

}  // namespace processhub::config
