#include "core/protocol/cluster_options.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace processhub::protocol {

namespace {

constexpr std::size_t kMostDifferences = 8;
constexpr std::size_t kMostChars = 100;

using Options = std::map<std::string_view, std::string_view>;

Options read(std::string_view text) {
  Options out;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto is = line.find('=');
    if (is != std::string_view::npos) out[line.substr(0, is)] = line.substr(is + 1);
  }
  return out;
}

/// Printable, and no longer than a line.
std::string shown(std::string_view text) {
  std::string out(text.substr(0, kMostChars));
  for (auto& c : out) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  return text.size() > kMostChars ? out + "..." : out;
}

std::string said(const Options& options, std::string_view key, NodeId node) {
  const auto at = options.find(key);
  return (at == options.end() ? "not given" : "'" + shown(at->second) + "'") + " on " + node.str();
}

}  // namespace

std::string cluster_wide_options(const HubConfig& config) {
  std::string out;
  const auto add = [&](const std::string& kind, const StrategyChoice& choice) {
    out += kind + "=" + choice.name + "\n";
    for (const auto& [key, value] : choice.options) {
      out += kind;
      out += "." + key + "=" + value + "\n";
    }
  };
  add("distribution", config.distribution);
  add("redundancy", config.redundancy);
  add("migration", config.migration);
  add("synchronization", config.synchronization);
  add("partition_tolerance", config.partition_tolerance);
  return out;
}

std::string options_difference(NodeId a, std::string_view of_a, NodeId b, std::string_view of_b) {
  const auto ours = read(of_a);
  const auto theirs = read(of_b);
  std::set<std::string_view> keys;
  for (const auto& [key, value] : ours) keys.insert(key);
  for (const auto& [key, value] : theirs) keys.insert(key);
  const auto differs = [&](std::string_view key) {
    const auto one = ours.find(key);
    const auto other = theirs.find(key);
    return one == ours.end() || other == theirs.end() || one->second != other->second;
  };
  std::string text;
  std::size_t count = 0;
  for (const auto key : keys) {
    // Options of two strategies have nothing in common.
    const auto dot = key.find('.');
    if (!differs(key) || (dot != std::string_view::npos && differs(key.substr(0, dot)))) continue;
    if (++count > kMostDifferences) continue;
    text +=
        (text.empty() ? "" : "; ") + shown(key) + " is " + said(ours, key, a) + ", " + said(theirs, key, b);
  }
  if (count > kMostDifferences) text += "; and " + std::to_string(count - kMostDifferences) + " more";
  return "cluster-wide options differ" + (text.empty() ? ", in a way that is not known here" : ": " + text);
}

}  // namespace processhub::protocol
