#include "tools/zmq-monitor/top_rows.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <map>

#include "tools/hubctl/tables.hpp"

namespace processhub::monitor {

namespace {

template <class... Args>
std::string format(const char* pattern, Args... args) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), pattern, args...);
  return text.data();
}

Cell number_cell(const Json& row, const char* name) {
  const auto value = row.value(name, 0.0);
  return {short_number(value), value};
}

bool is_gone(const Json& node) {
  const auto state = node.value("state", "");
  return state == "down" || state == "left";
}

std::string state_text(const Json& node, bool reachable) {
  const auto state = node.value("state", "");
  if (!reachable) return "lost";
  if (node.contains("error")) return is_gone(node) ? state : "silent";
  std::string marks;
  if (node.value("drained", false)) marks += " drained";
  if (node.value("frozen", false)) marks += " frozen";
  return state + marks;
}

std::string detail_of(const Json& node, bool reachable) {
  auto out = node.value("node", "") + " incarnation " +
             std::to_string(node.value("incarnation", std::uint64_t{0})) + " " + node.value("endpoint", "");
  if (!reachable) return out + ": as it was seen last";
  if (node.contains("error")) return out + ": " + node.value("error", "");
  return out + " handled " + short_number(node.value("handled_per_s", 0.0)) + "/s";
}

Row node_row(const Json& node, bool reachable) {
  Row row;
  row.key = node.value("node", "");
  row.detail = detail_of(node, reachable);
  const auto incarnation = node.value("incarnation", std::uint64_t{0});
  row.cells = {{row.key}, {state_text(node, reachable)}};
  if (node.contains("error")) {
    row.cells.resize(TopModel::columns(Sight::nodes).size(), {"-", -1});
    row.tone = node.value("state", "") == "left" ? Tone::faint : Tone::bad;
  } else {
    const auto uptime = node.value("uptime_ms", std::uint64_t{0});
    row.cells.push_back({short_time(uptime), static_cast<double>(uptime)});
    row.cells.push_back({node.value("locked_by", ""), 0});
    for (const auto* name :
         {"children", "lag_max_ms", "mailbox", "in_per_s", "out_per_s", "drops", "gaps", "round_trip_ms"})
      row.cells.push_back(number_cell(node, name));
    row.cells.push_back({});
    const bool odd = node.value("state", "") != "up" || !row.cells[3].text.empty() ||
                     node.value("drained", false) || node.value("frozen", false);
    row.tone = !reachable ? Tone::bad : odd ? Tone::warn : Tone::plain;
  }
  row.cells.back() = {std::to_string(incarnation), static_cast<double>(incarnation)};
  return row;
}

Row child_row(const Json& child, const Json& instance) {
  Row row;
  const auto id = child.value("id", "");
  const auto node = instance.value("node", "");
  const auto state = hubctl::state_of(instance);
  row.key = id + " " + node;
  row.cells = {{id},
               {child.value("type", "")},
               {child.value("tag", "")},
               {node},
               {instance.value("role", "")},
               {state},
               {instance.value("generation", "")}};
  row.detail = id + " ref " + instance.value("ref", "-");
  if (state == "failed") row.tone = Tone::bad;
  if (state != "failed" && state != "running") row.tone = Tone::warn;
  return row;
}

}  // namespace

std::string short_number(double value) {
  static constexpr std::array kUnits = {"", "k", "M", "G"};
  std::size_t unit = 0;
  while (std::abs(value) >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  const bool whole = value == std::floor(value) && unit == 0;
  return format(whole || std::abs(value) >= 9.95 ? "%.0f%s" : "%.1f%s", value, kUnits.at(unit));
}

std::string short_time(std::uint64_t ms) {
  const auto seconds = ms / 1000;
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m";
  if (seconds < 2ULL * 86'400) return std::to_string(seconds / 3600) + "h";
  return std::to_string(seconds / 86'400) + "d";
}

std::vector<Row> node_rows(const Json& nodes, bool reachable) {
  std::vector<Row> out;
  for (const auto& node : nodes) out.push_back(node_row(node, reachable));
  return out;
}

std::vector<Row> child_rows(const Json& children, const std::string& node) {
  std::vector<Row> out;
  for (const auto& child : children) {
    const auto instances = child.value("instances", Json::array());
    if (instances.empty() && node.empty()) out.push_back(child_row(child, Json::object()));
    for (const auto& instance : instances)
      if (node.empty() || instance.value("node", "") == node) out.push_back(child_row(child, instance));
  }
  return out;
}

Json without_earlier_lives(const Json& nodes) {
  std::map<std::string, const Json*> best;
  for (const auto& node : nodes) {
    const auto*& kept = best[node.value("node", "")];
    const auto rank = [](const Json& n) {
      return std::pair(!is_gone(n), n.value("incarnation", std::uint64_t{0}));
    };
    if (kept == nullptr || rank(*kept) < rank(node)) kept = &node;
  }
  Json out = Json::array();
  for (const auto& [name, node] : best) out.push_back(*node);
  return out;
}

}  // namespace processhub::monitor
