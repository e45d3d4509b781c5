#include "transport/sim/scenario_words.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "transport/sim/sim_describe.hpp"
#include "transport/sim/sim_faults.hpp"

namespace processhub::sim {
namespace {

/// What is longer is counted.
constexpr std::size_t kMostParts = 24;

/// "x12" is ("x", 12); without digits the number is -1.
std::pair<std::string, std::int64_t> split_number(const std::string& id) {
  const auto last = id.find_last_not_of("0123456789");
  const auto digits = last == std::string::npos ? 0 : last + 1;
  if (digits == id.size()) return {id, -1};
  std::int64_t value = 0;
  std::from_chars(id.data() + digits, id.data() + id.size(), value);
  return {id.substr(0, digits), value};
}

/// Ids by what is said of them, in the order of first mention by text.
std::string grouped(const std::map<std::string, std::vector<std::string>>& groups) {
  std::vector<std::string> parts;
  for (const auto& [what, ids] : groups) parts.push_back(fmt::format("{}: {}", what, shorten(ids)));
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::uint64_t parse_count(const std::string& text) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw std::invalid_argument(text + " is no number");
  return value;
}

}  // namespace

Words split_words(const std::string& line) {
  std::istringstream in(line);
  Words words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

std::string take_word(Words& words) {
  if (words.empty()) throw std::invalid_argument("a word is missing");
  auto word = std::move(words.front());
  words.erase(words.begin());
  return word;
}

void take_keyword(Words& words, std::string_view keyword) {
  if (take_word(words) != keyword) throw std::invalid_argument(fmt::format("'{}' is missing", keyword));
}

Duration take_duration(Words& words) {
  auto parsed = parse_duration(take_word(words));
  if (!parsed) throw std::invalid_argument(parsed.error().message);
  return *parsed;
}

bool take_last(Words& words, std::string_view word) {
  if (words.empty() || words.back() != word) return false;
  words.pop_back();
  return true;
}

bool has_on(const Words& words) { return words.size() >= 2 && words[words.size() - 2] == "on"; }

std::string take_on(Words& words) {
  if (!has_on(words)) throw std::invalid_argument("'on NODE' is missing");
  auto node = std::move(words.back());
  words.resize(words.size() - 2);
  return node;
}

std::optional<std::string> take_option(Words& words, std::string_view name) {
  const auto found = std::find(words.begin(), words.end(), name);
  if (found == words.end() || found + 1 == words.end()) return {};
  auto value = *(found + 1);
  words.erase(found, found + 2);
  return value;
}

std::chrono::milliseconds take_timeout(Words& words, std::chrono::milliseconds otherwise) {
  const auto text = take_option(words, "timeout");
  if (!text) return otherwise;
  auto parsed = parse_duration(*text);
  if (!parsed) throw std::invalid_argument(parsed.error().message);
  return std::chrono::duration_cast<std::chrono::milliseconds>(*parsed);
}

std::vector<std::string> expand(const Words& words) {
  std::vector<std::string> out;
  for (const auto& word : words) {
    const auto dots = word.find("..");
    if (dots == std::string::npos) {
      out.push_back(word);
      continue;
    }
    const auto [prefix, first] = split_number(word.substr(0, dots));
    const auto [same, last] = split_number(word.substr(dots + 2));
    if (prefix != same || first < 0 || last < first) throw std::invalid_argument(word + " is no range");
    for (auto i = first; i <= last; ++i) out.push_back(prefix + std::to_string(i));
  }
  if (out.empty()) throw std::invalid_argument("an id is missing");
  return out;
}

std::string shorten(std::vector<std::string> ids) {
  std::sort(ids.begin(), ids.end(), natural_less);
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < ids.size();) {
    const auto [prefix, first] = split_number(ids[i]);
    std::size_t end = i + 1;
    while (first >= 0 && end < ids.size() &&
           ids[end] == prefix + std::to_string(first + static_cast<std::int64_t>(end - i)))
      ++end;
    if (end - i >= 3) {
      parts.push_back(ids[i] + ".." + ids[end - 1]);
    } else {
      for (auto k = i; k < end; ++k) parts.push_back(ids[k]);
    }
    i = end;
  }
  return parts.size() > kMostParts ? fmt::format("{} ids", ids.size())
                                   : fmt::format("{}", fmt::join(parts, " "));
}

bool natural_less(const std::string& a, const std::string& b) {
  const auto left = split_number(a);
  const auto right = split_number(b);
  return left != right ? left < right : a < b;
}

Restart parse_restart(const std::string& text) {
  for (const auto restart : {Restart::permanent, Restart::transient, Restart::temporary}) {
    if (to_string(restart) == text) return restart;
  }
  throw std::invalid_argument(text + " is no restart kind");
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ',');)
    if (word != "none") words.push_back(word);
  return words;
}

namespace {

std::map<std::string, StrategyChoice*> strategies_of(HubConfig& config) {
  return {{"distribution", &config.distribution},
          {"redundancy", &config.redundancy},
          {"migration", &config.migration},
          {"synchronization", &config.synchronization},
          {"partition_tolerance", &config.partition_tolerance}};
}

}  // namespace

void set_hub_option(HubConfig& config, const std::string& name, const std::string& value) {
  const std::map<std::string, HubConfig::ms*> durations{
      {"discover_interval", &config.discover_interval},
      {"sync_interval", &config.sync_interval},
      {"heartbeat_interval", &config.heartbeat_interval},
      {"suspect_after", &config.suspect_after},
      {"join_timeout", &config.join_timeout},
      {"drain_timeout", &config.drain_timeout},
      {"stall_limit", &config.stall_limit},
      {"shutdown_timeout", &config.shutdown_timeout},
      {"max_seconds", &config.max_seconds},
      {"restart_backoff", &config.restart_backoff},
      {"purge_interval", &config.purge_interval},
      {"deadlock_recovery_timeout", &config.deadlock_recovery_timeout},
      {"purge_interval", &config.purge_interval},
      {"migration_timeout", &config.migration_timeout}};
  const std::map<std::string, std::uint32_t*> counts{{"spec_copies", &config.spec_copies},
                                                     {"max_restarts", &config.max_restarts},
                                                     {"max_concurrent_moves", &config.max_concurrent_moves}};
  const auto strategies = strategies_of(config);
  if (auto duration = durations.find(name); duration != durations.end()) {
    auto parsed = parse_duration(value);
    if (!parsed) throw std::invalid_argument(parsed.error().message);
    *duration->second = std::chrono::duration_cast<HubConfig::ms>(*parsed);
  } else if (auto count = counts.find(name); count != counts.end()) {
    *count->second = static_cast<std::uint32_t>(parse_count(value));
  } else if (const auto dot = name.find('.'); dot != std::string::npos) {
    strategies_of(config).at(name.substr(0, dot))->options[name.substr(dot + 1)] = value;
  } else if (name == "hub_id") {
    config.hub_id = value;
  } else if (name == "zone") {
    config.zone = value;
  } else if (name == "roles") {
    config.roles = split_at_commas(value);
  } else if (name == "weight") {
    config.weight = std::stod(value);
  } else if (auto strategy = strategies.find(name); strategy != strategies.end()) {
    strategy->second->name = value;
  } else {
    throw std::invalid_argument("unknown option " + name);
  }
}

std::string summary(const StartResult& result) {
  std::map<std::string, std::vector<std::string>> groups;
  for (const auto& child : result.children) {
    if (child.error) {
      groups["failed (" + describe(*child.error) + ")"].push_back(child.id);
      continue;
    }
    std::string where;
    for (const auto& i : child.instances)
      where += fmt::format("{}{}", where.empty() ? "" : "+", i.ref.node.name());
    groups[where].push_back(child.id);
  }
  return (result.rolled_back ? "rolled back; " : "") + grouped(groups);
}

std::string summary(const StopResult& result) {
  std::map<std::string, std::vector<std::string>> groups;
  for (const auto& child : result.children) {
    if (child.error) {
      groups["failed (" + describe(*child.error) + ")"].push_back(child.id);
    } else if (child.nodes.empty()) {
      groups["stopped before it ran"].push_back(child.id);
    } else {
      groups[fmt::format("stopped on {}", fmt::join(child.nodes, "+"))].push_back(child.id);
    }
  }
  if (groups.empty()) return "nobody";
  return grouped(groups);
}

}  // namespace processhub::sim
