#include "transport/sim/plan.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "transport/sim/plan_player.hpp"

namespace processhub::sim {
namespace {

std::uint64_t take_number(Words& words) {
  const auto text = take_word(words);
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw std::invalid_argument("'" + text + "' is no number");
  return value;
}

void nothing_more(const Words& words) {
  if (!words.empty()) throw std::invalid_argument("what is '" + words.front() + "'?");
}

void read_option(Plan& plan, Words& words) {
  const auto name = take_word(words);
  plan.options.emplace_back(name, take_word(words));
  HubConfig probe;
  set_hub_option(probe, name, plan.options.back().second);
}

void read_fault(Plan& plan, Words& words) {
  const auto name = take_word(words);
  if (auto set = plan.faults.set(name, take_word(words)); !set)
    throw std::invalid_argument(set.error().message);
}

void check_verb(const Words& words) {
  if (words.empty() || !PlanPlayer::knows(words.front())) {
    throw std::invalid_argument(words.empty() ? "a verb is missing" : "unknown verb '" + words.front() + "'");
  }
}

void read_action(Plan& plan, Words& words) {
  const Time at = take_duration(words);
  if (words == Words{"end"}) {
    plan.active = at;
    return;
  }
  check_verb(words);
  if (!plan.actions.empty() && at < plan.actions.back().at)
    throw std::invalid_argument("this is earlier than the line before");
  plan.actions.push_back({at, std::move(words)});
  words.clear();
}

/// "#17" is the number of a message, "# text" is a comment.
std::string without_comment(const std::string& line) { return line.substr(0, line.find("# ")); }

void read_line(Plan& plan, Words words) {
  const auto first = words.front();
  if (first.front() >= '0' && first.front() <= '9') {
    read_action(plan, words);
    return;
  }
  words.erase(words.begin());
  if (first == "seed") {
    plan.seed = take_number(words);
  } else if (first == "option") {
    read_option(plan, words);
  } else if (first == "fault") {
    read_fault(plan, words);
  } else if (first == "clocks") {
    plan.clocks = take_duration(words);
  } else if (first == "rest") {
    check_verb(words);
    plan.rest.push_back(std::exchange(words, {}));
  } else {
    throw std::invalid_argument("a line begins with a time, seed, option, fault, clocks or rest");
  }
  nothing_more(words);
}

}  // namespace

ClusterOptions Plan::cluster_options(CoreFactory make_core) const {
  ClusterOptions out;
  out.seed = seed;
  out.faults = faults;
  out.config.hub_id = "swarm";
  for (const auto& [name, value] : options) set_hub_option(out.config, name, value);
  out.make_core = std::move(make_core);
  out.clock_spread = clocks;
  return out;
}

std::string Plan::str() const {
  auto out = fmt::format("seed {}\n", seed);
  for (const auto& [name, value] : options) out += fmt::format("option {} {}\n", name, value);
  auto different = faults.str();
  std::replace(different.begin(), different.end(), '=', ' ');
  std::istringstream in(different);
  for (std::string name, value; in >> name >> value;) out += fmt::format("fault {} {}\n", name, value);
  if (clocks.count() != 0) out += fmt::format("clocks {}\n", format_duration(clocks));
  for (const auto& action : actions)
    out += fmt::format("{} {}\n", format_duration(action.at), fmt::join(action.words, " "));
  out += fmt::format("{} end\n", format_duration(active));
  for (const auto& words : rest) out += fmt::format("rest {}\n", fmt::join(words, " "));
  return out;
}

Result<Plan> Plan::parse(const std::string& text) {
  Plan plan;
  std::istringstream in(text);
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const auto words = split_words(without_comment(line));
    if (words.empty()) continue;
    try {
      read_line(plan, words);
    } catch (const std::invalid_argument& error) {
      return {ErrorCode::invalid, fmt::format("line {} '{}': {}", number, line, error.what())};
    }
  }
  if (!plan.actions.empty()) plan.active = std::max(plan.active, plan.actions.back().at);
  return plan;
}

}  // namespace processhub::sim
