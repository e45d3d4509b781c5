// The scenario's commands that break and mend the world, and those that look at it.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "transport/sim/scenario.hpp"
#include "transport/sim/scenario_words.hpp"

namespace processhub::sim {

namespace {

constexpr std::size_t kMostListed = 24;

/// One by one while that can be read.
std::string listed(std::vector<std::string> ids) {
  if (ids.size() > kMostListed) return fmt::format("{} children", ids.size());
  std::sort(ids.begin(), ids.end(), natural_less);
  return fmt::format("{}", fmt::join(ids, " "));
}

}  // namespace

void Scenario::do_crash(Words& words) { cluster().crash(take_word(words)); }
void Scenario::do_vanish(Words& words) { cluster().crash(take_word(words), SimNetwork::Detach::silent); }
void Scenario::do_pause(Words& words) { cluster().pause(take_word(words)); }

/// "load b cpu 0.9 run_queue 3 memory 0.5": what node b measures of itself from now on.
void Scenario::do_load(Words& words) {
  const auto node = take_word(words);
  LoadSample load;
  if (const auto value = take_option(words, "cpu")) load.cpu = std::stod(*value);
  if (const auto value = take_option(words, "run_queue")) load.run_queue = std::stod(*value);
  if (const auto value = take_option(words, "memory")) load.memory = std::stod(*value);
  cluster().node(node).set_load(load);
}

void Scenario::do_resume(Words& words) { cluster().resume(take_word(words)); }

/// "restart b" is a node, "restart child x1 on a" a child.
void Scenario::do_restart(Words& words) {
  const auto what = take_word(words);
  if (what != "child") {
    const auto life = take_option(words, "life");
    if (!life) return cluster().restart(what);
    cluster().crash(what);
    return cluster().node(what).boot(std::stoull(*life), Duration{});
  }
  const auto node = take_on(words);
  finish(cluster().restart_child(node, take_word(words)), true);
}

void Scenario::do_leave(Words& words) {
  const bool wait = !take_last(words, "&");
  finish(cluster().leave(take_word(words)), wait);
}

void Scenario::do_cut(Words& words) {
  const auto a = take_word(words);
  const auto how = take_word(words);
  const auto b = take_word(words);
  if (how == "->") return cluster().cut(a, b);
  if (how != "-") throw std::invalid_argument("write 'cut a -> b' or 'cut a - b'");
  cluster().cut_both(a, b);
}

void Scenario::do_split(Words& words) {
  const auto bar = std::find(words.begin(), words.end(), "|");
  if (bar == words.end()) throw std::invalid_argument("write 'split a b | c d'");
  cluster().split({words.begin(), bar}, {bar + 1, words.end()});
  words.clear();
}

void Scenario::do_heal(Words& words) {
  if (words.empty()) return cluster().heal_all();
  const auto a = take_word(words);
  take_keyword(words, "-");
  cluster().heal(a, take_word(words));
}

void Scenario::do_reset(Words& words) {
  const auto a = take_word(words);
  if (a == "size" && has_on(words)) return finish(cluster().reset_size(take_on(words)), true);
  take_keyword(words, "-");
  auto& network = cluster().network();
  network.reset_between(network.host(a), network.host(take_word(words)));
}

void Scenario::do_clog(Words& words) {
  const auto a = take_word(words);
  take_keyword(words, "->");
  auto& network = cluster().network();
  const auto b = take_word(words);
  network.clog(network.host(a), network.host(b), take_duration(words));
}

// -- looking

const SimNode& Scenario::any_running() {
  const auto running = cluster().running_nodes();
  if (running.empty()) throw std::invalid_argument("no node runs");
  return *running.front();
}

void Scenario::do_show(Words& words) {
  const auto what = take_word(words);
  const auto node = has_on(words) ? take_on(words) : any_running().name();
  const auto& seen = cluster().node(node);
  if (what == "children") return show_children(seen);
  if (what == "child") return show_child(seen, take_word(words));
  if (what == "nodes") return show_nodes(seen);
  if (what != "hooks") throw std::invalid_argument("show children, child, nodes or hooks");
  for (const auto& hook : std::exchange(hooks_[node], {})) print(fmt::format("  {}: {}", node, hook));
}

/// One line per node: what it runs, as `node` sees it.
void Scenario::show_children(const SimNode& node) {
  std::map<std::string, std::vector<std::string>> by_node;
  for (const auto& [id, record] : node.registry()) {
    if (record->instances.empty()) by_node["(nowhere)"].push_back(id);
    for (const auto& instance : record->instances) {
      auto text = id;
      if (instance.state != InstanceState::running) text += fmt::format("({})", to_string(instance.state));
      by_node[instance.ref.node.str()].push_back(text);
    }
  }
  print(fmt::format("children as {} sees them: {}", node.name(), node.registry().size()));
  for (auto& [where, ids] : by_node) {
    print(fmt::format("  {}: {}", where, listed(std::move(ids))));
  }
}

void Scenario::show_child(const SimNode& node, const std::string& id) {
  auto found = node.registry().find(id);
  if (found == node.registry().end()) return print(fmt::format("{} knows no {}", node.name(), id));
  const auto& record = *found->second;
  print(fmt::format("{} as {} sees it: {}", id, node.name(), record.uid.str()));
  for (const auto& i : record.instances) {
    print(fmt::format("  {} {} {} generation {}.{}", i.ref.node.str(), to_string(i.role), to_string(i.state),
                      i.generation.epoch, i.generation.restarts));
  }
  if (record.changes && !record.changes->failure.empty())
    print(fmt::format("  failed: {}", record.changes->failure));
  const bool changed = record.changes && record.changes->metadata;
  const auto& metadata = changed ? *record.changes->metadata : record.spec->kind->metadata;
  for (const auto& [key, value] : metadata) print(fmt::format("  {} = {}", key, value));
}

void Scenario::show_nodes(const SimNode& node) {
  std::string line;
  for (const auto& other : node.cluster().nodes)
    line += fmt::format(" {} {}", other.id.str(), to_string(other.state));
  print(fmt::format("nodes as {} sees them:{}", node.name(), line));
}

std::map<std::string, std::string> Scenario::placement() const {
  std::map<std::string, std::string> out;
  for (const auto* node : cluster_->running_nodes()) {
    node->workers().each([&](const Activation& a, bool up) {
      if (up) out[a.id] += std::string(node->name()) + " ";
    });
  }
  return out;
}

void Scenario::do_mark(Words&) {
  cluster();
  marked_ = placement();
}

void Scenario::do_moved(Words&) {
  const auto now = placement();
  std::map<std::string, std::vector<std::string>> moves;
  std::size_t count = 0;
  for (const auto& [id, before] : marked_) {
    auto found = now.find(id);
    const auto after = found == now.end() ? std::string("nowhere ") : found->second;
    if (after == before) continue;
    moves[before + "-> " + after].push_back(id);
    ++count;
  }
  print(fmt::format("moved: {} of {}", count, marked_.size()));
  for (auto& [way, ids] : moves) {
    print(fmt::format("  {}: {}", way.substr(0, way.size() - 1), listed(std::move(ids))));
  }
}

void Scenario::do_expect(Words& words) {
  cluster();
  const auto what = take_word(words);
  const auto within = take_option(words, "within");
  auto limit = Result<Duration>(std::chrono::seconds(30));
  if (within) limit = parse_duration(*within);
  if (!limit) throw std::invalid_argument(limit.error().message);
  if (what == "quiet") return expect_quiet(*limit);
  if (what == "quorum") {
    const auto& node = cluster().node(take_word(words));
    return expect_quorum(node, take_word(words), *limit);
  }
  if (what != "node" && what != "child") throw std::invalid_argument("expect quiet, node, child or quorum");
  const auto node = has_on(words) ? take_on(words) : any_running().name();
  const auto name = take_word(words);
  expect_state(what, name, take_word(words), cluster().node(node), *limit);
}

void Scenario::expect_quiet(Duration limit) {
  if (!quiet_->settle(limit)) return;
  const auto lost = components(*cluster_).size() == 1 ? quiet_->lost_fact() : std::nullopt;
  print(lost ? fmt::format("VIOLATION of {}: {}", lost->invariant, lost->what) : "quiet");
}

void Scenario::expect_quorum(const SimNode& node, const std::string& state, Duration limit) {
  if (state != "lost" && state != "held") throw std::invalid_argument("a quorum is lost or held");
  const bool lost = state == "lost";
  const bool reached =
      cluster().run_until([&] { return node.cluster().joined && node.cluster().partitioned == lost; }, limit);
  print(fmt::format("{}: quorum {}", node.name(),
                    reached ? state : fmt::format("not {} after {}", state, format_duration(limit))));
}

/// The latest life of the node counts; a child is as its first instance.
void Scenario::expect_state(const std::string& what, const std::string& name, const std::string& state,
                            const SimNode& node, Duration limit) {
  std::string seen;
  const auto look = [&] {
    seen = "unknown";
    if (what == "node") {
      for (const auto& other : node.cluster().nodes)
        if (other.id.name() == name) seen = to_string(other.state);
    } else if (const auto found = node.registry().find(name); found == node.registry().end()) {
      seen = "gone";
    } else {
      const auto& instances = found->second->instances;
      seen = instances.empty() ? "nowhere" : to_string(instances.front().state);
    }
    return seen == state;
  };
  const bool reached = cluster().run_until(look, limit);
  print(fmt::format(
      "{} sees {} {} {}", node.name(), what, name,
      reached ? seen : fmt::format("{} and not {} after {}", seen, state, format_duration(limit))));
}

}  // namespace processhub::sim
