#include "tests/live/support/live_scenario.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "transport/sim/scenario.hpp"
#include "transport/sim/scenario_words.hpp"

namespace live {

using namespace processhub::sim;

namespace {

std::string grouped(const std::map<std::string, std::vector<std::string>>& groups) {
  std::vector<std::string> parts;
  for (const auto& [what, ids] : groups) parts.push_back(fmt::format("{}: {}", what, shorten(ids)));
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string text(const Json& object, const char* key) { return object.at(key).get<std::string>(); }

/// "3.1@node" without the node.
std::string generation_of(const Json& instance) {
  const auto whole = text(instance, "generation");
  return whole.substr(0, whole.find('@'));
}

std::string failed(const Json& child) {
  return fmt::format("failed ({}: {})", text(child, "code"), text(child, "error"));
}

std::string where_started(const Json& child) {
  if (child.contains("error")) return failed(child);
  std::vector<std::string> nodes;
  for (const auto& instance : child.at("instances")) nodes.push_back(text(instance, "node"));
  return fmt::format("{}", fmt::join(nodes, "+"));
}

std::string where_stopped(const Json& child) {
  if (child.contains("error")) return failed(child);
  return fmt::format("stopped on {}", fmt::join(child.at("nodes").get<std::vector<std::string>>(), "+"));
}

std::string by_place(const Json& answer, const std::function<std::string(const Json&)>& place) {
  std::map<std::string, std::vector<std::string>> groups;
  for (const auto& child : answer.at("children")) groups[place(child)].push_back(text(child, "id"));
  return grouped(groups);
}

}  // namespace

LiveScenario::LiveScenario(const std::string& text) {
  auto [commands, output] = split_scenario(text);
  commands_ = std::move(commands);
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) promised_.push_back(line);
}

const std::vector<LiveScenario::Command>& LiveScenario::commands() {
  using L = LiveScenario;
  static const std::vector<Command> table{
      {"nodes", &L::do_nodes},     {"node", &L::do_node},     {"start", &L::do_start},
      {"stop", &L::do_stop},       {"call", &L::do_call},     {"crash", &L::do_crash},
      {"restart", &L::do_restart}, {"leave", &L::do_leave},   {"metadata", &L::do_metadata},
      {"pause", &L::do_pause},     {"resume", &L::do_resume}, {"run", &L::do_run},
      {"show", &L::do_show},       {"mark", &L::do_mark},     {"moved", &L::do_moved},
      {"expect", &L::do_expect}};
  return table;
}

void LiveScenario::run() {
  std::istringstream lines(commands_);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    execute(line.substr(0, line.find('#')));
  }
  CHECK(told_ == promised_.size());
}

void LiveScenario::execute(const std::string& line) {
  auto words = split_words(line);
  if (words.empty()) return;
  const auto name = take_word(words);
  const auto& table = commands();
  const auto found = std::find_if(table.begin(), table.end(), [&](const auto& c) { return c.name == name; });
  REQUIRE_MESSAGE(found != table.end(), "no such command on real processes: ", line);
  (this->*found->carry_out)(words);
}

void LiveScenario::promise(const Look& look, std::size_t lines) {
  REQUIRE(told_ + lines <= promised_.size());
  const auto first = promised_.begin() + static_cast<std::ptrdiff_t>(told_);
  const std::vector<std::string> wanted(first, first + static_cast<std::ptrdiff_t>(lines));
  std::vector<std::string> seen;
  if (!eventually([&] { return (seen = look()) == wanted; }))
    FAIL(fmt::format("promised:\n{}\nseen:\n{}", fmt::join(wanted, "\n"), fmt::join(seen, "\n")));
  told_ += lines;
}

// -- the cluster

void LiveScenario::do_nodes(Words& words) { cluster_.start(words); }
void LiveScenario::do_node(Words& words) { cluster_.start(take_word(words)); }

void LiveScenario::do_crash(Words& words) {
  const auto name = take_word(words);
  shown_nodes(name);  // its life is met before the next one
  cluster_.kill(name);
}

void LiveScenario::do_restart(Words& words) { cluster_.start(take_word(words)); }

void LiveScenario::do_leave(Words& words) {
  const auto name = take_word(words);
  CHECK(cluster_.terminate(name) == 0);
  promise([&] { return std::vector{fmt::format("leave  on {}: ok", name)}; });
}

void LiveScenario::do_pause(Words& words) {
  paused_.push_back(take_word(words));
  cluster_.pause(paused_.back());
}

void LiveScenario::do_resume(Words& words) {
  const auto name = take_word(words);
  std::erase(paused_, name);
  cluster_.resume(name);
}

std::vector<std::string> LiveScenario::awake() const {
  auto names = cluster_.names();
  std::erase_if(names, [&](const auto& n) { return std::count(paused_.begin(), paused_.end(), n) > 0; });
  return names;
}

/// The n-th incarnation of a name that was met is its life n, as in the simulator.
std::string LiveScenario::life(const std::string& name, std::uint64_t incarnation) {
  auto& lives = lives_[name];
  const auto found = std::find(lives.begin(), lives.end(), incarnation);
  const auto number = found - lives.begin() + 1;
  if (found == lives.end()) lives.push_back(incarnation);
  return fmt::format("{}/{}", name, number);
}

// -- users

void LiveScenario::do_start(Words& words) {
  const auto node = take_on(words);
  const auto ids = expand(words);
  std::string specs;
  for (const auto& id : ids) specs += Json{{"id", id}, {"type", "counter"}}.dump() + "\n";
  const auto file = cluster_.directory().write("specs.jsonl", specs);
  const auto answer = cluster_.ask(node, {"start", "--file", file}).json();
  promise([&] {
    return std::vector{
        fmt::format("start {} on {}: {}", shorten(ids), node, by_place(answer, where_started))};
  });
}

void LiveScenario::do_stop(Words& words) {
  const auto node = take_on(words);
  const auto ids = expand(words);
  Words arguments{"stop"};
  arguments.insert(arguments.end(), ids.begin(), ids.end());
  const auto answer = cluster_.ask(node, arguments).json();
  promise([&] {
    return std::vector{fmt::format("stop {} on {}: {}", shorten(ids), node, by_place(answer, where_stopped))};
  });
}

void LiveScenario::do_call(Words& words) {
  const auto node = take_on(words);
  const auto id = take_word(words);
  const auto message = take_word(words);
  const auto body = words.empty() ? std::string("{}") : fmt::format(R"({{"by": {}}})", take_word(words));
  const auto answer = cluster_.ask(node, {"call", id, message, body}).json();
  const auto said = answer.contains("total") ? answer.at("total").dump()
                                             : text(answer, "code") + ": " + text(answer, "error");
  promise([&] { return std::vector{fmt::format("call {} on {}: {}", id, node, said)}; });
}

void LiveScenario::do_metadata(Words& words) {
  const auto node = take_on(words);
  words.insert(words.begin(), "metadata");
  CHECK(cluster_.ask(node, words).exit == done);
  promise([&] { return std::vector{fmt::format("metadata {} on {}: ok", words[1], node)}; });
}

// -- looking

void LiveScenario::do_show(Words& words) {
  const auto what = take_word(words);
  const auto node = has_on(words) ? take_on(words) : awake().front();
  if (what == "nodes") return promise([&] { return shown_nodes(node); });
  if (what == "children") return promise([&] { return shown_children(node); }, lines_until_next("  "));
  REQUIRE(what == "child");
  const auto id = take_word(words);
  promise([&] { return shown_child(node, id); }, lines_until_next("  "));
}

/// The promised line and those below it that begin with `prefix`.
std::size_t LiveScenario::lines_until_next(std::string_view prefix) const {
  std::size_t lines = 1;
  while (told_ + lines < promised_.size() && promised_[told_ + lines].starts_with(prefix)) ++lines;
  return lines;
}

std::vector<std::string> LiveScenario::shown_nodes(const std::string& node) {
  auto nodes = cluster_.query(node, {"nodes", "--all"});
  std::string line;
  for (const auto& other : nodes) {
    line += fmt::format(" {} {}", life(text(other, "name"), other.at("incarnation").get<std::uint64_t>()),
                        text(other, "state"));
  }
  return {fmt::format("nodes as {} sees them:{}", node, line)};
}

std::vector<std::string> LiveScenario::shown_children(const std::string& node) {
  const auto list = cluster_.query(node, {"list"});
  std::map<std::string, std::vector<std::string>> by_node;
  for (const auto& child : list)
    for (const auto& instance : child.at("instances"))
      by_node[first_life(text(instance, "ref"))].push_back(text(child, "id"));
  std::vector<std::string> lines{fmt::format("children as {} sees them: {}", node, list.size())};
  for (auto& [where, ids] : by_node) {
    std::sort(ids.begin(), ids.end(), natural_less);
    lines.push_back(fmt::format("  {}: {}", where, fmt::join(ids, " ")));
  }
  return lines;
}

/// In the cases that run here no node shows children of its second life.
std::string LiveScenario::first_life(const std::string& ref) const {
  return ref.substr(0, ref.find('/')) + "/1";
}

std::vector<std::string> LiveScenario::shown_child(const std::string& node, const std::string& id) {
  const auto child = cluster_.query(node, {"lookup", id});
  if (!child.is_object()) return {};
  std::vector<std::string> lines{promised_[told_]};  // the uid is no business of hubctl's
  for (const auto& instance : child.at("instances")) {
    lines.push_back(fmt::format("  {} {} {} generation {}", first_life(text(instance, "ref")),
                                text(instance, "role"), text(instance, "state"), generation_of(instance)));
  }
  for (const auto& [key, value] : child.at("metadata").items())
    lines.push_back(fmt::format("  {} = {}", key, value.get<std::string>()));
  return lines;
}

std::map<std::string, std::string> LiveScenario::placement() const {
  std::map<std::string, std::string> out;
  for (const auto& child : cluster_.query(awake().front(), {"list"}))
    for (const auto& instance : child.at("instances")) out[text(child, "id")] += text(instance, "node") + " ";
  return out;
}

void LiveScenario::do_mark(Words&) { marked_ = placement(); }

void LiveScenario::do_moved(Words&) {
  const auto look = [&] {
    const auto now = placement();
    std::map<std::string, std::vector<std::string>> moves;
    std::size_t count = 0;
    for (const auto& [id, before] : marked_) {
      const auto found = now.find(id);
      const auto after = found == now.end() ? std::string("nowhere ") : found->second;
      if (after == before) continue;
      moves[before + "-> " + after].push_back(id);
      ++count;
    }
    std::vector<std::string> lines{fmt::format("moved: {} of {}", count, marked_.size())};
    for (auto& [way, ids] : moves) {
      std::sort(ids.begin(), ids.end(), natural_less);
      lines.push_back(fmt::format("  {}: {}", way.substr(0, way.size() - 1), fmt::join(ids, " ")));
    }
    return lines;
  };
  promise(look, lines_until_next("  "));
}

bool LiveScenario::quiet() const {
  if (!cluster_.all_see(cluster_.names()) || !cluster_.digests_agree()) return false;
  const auto list = cluster_.query(cluster_.names().front(), {"list"});
  return list.is_array() && cluster_.each_runs_once(list.size());
}

void LiveScenario::do_expect(Words&) {
  promise([&] { return std::vector<std::string>{quiet() ? "quiet" : "not quiet"}; });
}

}  // namespace live
