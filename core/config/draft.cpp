#include "core/config/draft.hpp"

#include <algorithm>
#include <utility>

#include "core/config/option_table.hpp"
#include "core/config/values.hpp"

namespace processhub::config {
namespace {

/// The INI format has no quotes: they would become part of the value.
Result<void> refuse_quotes(const Setting& setting) {
  const auto& text = setting.value;
  const bool quoted =
      text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.front() == text.back();
  if (quoted) return {ErrorCode::invalid, setting.where + ": write the value without quotes"};
  return {};
}

/// "KIND.key": an option of a strategy. Its value is kept as text.
Result<void> set_strategy_option(HubConfig& config, const Setting& setting) {
  const auto dot = setting.key.find('.');
  const auto* kind = find_strategy_kind(setting.key.substr(0, dot));
  if (!kind || dot == std::string::npos || dot + 1 == setting.key.size()) {
    return {ErrorCode::invalid,
            setting.where + ": unknown option" + suggestion(setting.key, hub_option_names())};
  }
  (config.*kind->choice).options[setting.key.substr(dot + 1)] = setting.value;
  return {};
}

Error located(const NodeDraft& node, const HubDraft& hub, const Problem& problem) {
  const auto from = [&](const std::vector<std::string>& places, std::size_t index) {
    return places.at(std::min(index, places.size() - 1));
  };
  const auto known = hub.where.find(problem.option);
  std::string where;
  if (problem.option == "child" && !hub.child_where.empty()) {
    where = from(hub.child_where, problem.index);
  } else if (problem.option == "hook" && !hub.hook_where.empty()) {
    where = from(hub.hook_where, problem.index);
  } else if (known != hub.where.end()) {
    where = from(known->second, problem.index);
  } else {
    where = (node.path.empty() ? "" : node.path + ": ") + problem.option;
  }
  return {ErrorCode::invalid, where + ": " + problem.text};
}

Result<void> check_distinct_hubs(const NodeDraft& node) {
  for (std::size_t i = 0; i < node.hubs.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (node.hubs[i].config.hub_id != node.hubs[j].config.hub_id) continue;
      return located(node, node.hubs[i],
                     {std::string(kHubId), 0, "two hubs have the id '" + node.hubs[i].config.hub_id + "'"});
    }
  }
  return {};
}

/// What others get to see of the process.
Result<void> set_outlet(NodeDraft& node, const Setting& setting) {
  if (setting.key == kLogJson) {
    const auto flag = parse_flag(setting.value);
    if (!flag) return flag.error();
    node.log_json = *flag;
    return {};
  }
  const bool has_scheme = setting.value.find("://") != std::string::npos;
  if (has_scheme || !parse_endpoint("tcp://" + setting.value)) return expected("HOST:PORT", setting.value);
  node.metrics = setting.value;
  return {};
}

}  // namespace

bool is_node_key(std::string_view key) {
  return key == kName || key == kPlugin || key == kMetrics || key == kLogJson;
}

Result<void> apply_settings(HubDraft& hub, const std::vector<Setting>& settings) {
  std::map<std::string, std::vector<std::string>> values;
  std::map<std::string, std::vector<std::string>> places;
  for (const auto& setting : settings) {
    if (auto ok = refuse_quotes(setting); !ok) return ok;
    const auto* option = find_hub_option(setting.key);
    if (!option) {
      if (auto ok = set_strategy_option(hub.config, setting); !ok) return ok;
      continue;
    }
    values[setting.key].push_back(setting.value);
    places[setting.key].push_back(setting.where);
    if (auto ok = set_option(hub.config, *option, values[setting.key]); !ok) {
      return {ok.error().code, setting.where + ": " + ok.error().message};
    }
  }
  for (auto& [key, where] : places) hub.where[key] = std::move(where);
  return {};
}

Result<void> apply_node_settings(NodeDraft& node, const std::vector<Setting>& settings) {
  bool first_plugin = true;
  for (const auto& setting : settings) {
    if (!is_node_key(setting.key)) continue;
    if (auto ok = refuse_quotes(setting); !ok) return ok;
    if (setting.key == kName) {
      node.name = setting.value;
      node.name_where = setting.where;
    } else if (setting.key == kMetrics || setting.key == kLogJson) {
      if (auto ok = set_outlet(node, setting); !ok)
        return {ok.error().code, setting.where + ": " + ok.error().message};
    } else {
      if (std::exchange(first_plugin, false)) node.plugins.clear();
      node.plugins.push_back(setting.value);
    }
  }
  return {};
}

Result<NodeConfig> finish(NodeDraft node) {
  if (!node.name.empty()) {
    if (auto text = name_problem(node.name); !text.empty())
      return {ErrorCode::invalid, node.name_where + ": " + text};
  }
  if (auto ok = check_distinct_hubs(node); !ok) return ok.error();
  NodeConfig out;
  for (auto& hub : node.hubs) {
    hub.config.name = node.name;
    if (const auto problem = find_problem(hub.config)) return located(node, hub, *problem);
    out.hubs.push_back(std::move(hub.config));
  }
  out.name = std::move(node.name);
  out.plugins = std::move(node.plugins);
  out.metrics = std::move(node.metrics);
  out.log_json = node.log_json;
  return out;
}

}  // namespace processhub::config
