#include "transport/sim/swarm_faults.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace processhub::sim {
namespace {

constexpr std::uint32_t kSpareNames = 3;

std::string node_name(std::uint32_t index) { return std::string(1, static_cast<char>('a' + index)); }

}  // namespace

double maybe(Rng& rng, double probability, double maximum) {
  const bool present = rng.chance(probability);
  const double share = static_cast<double>(rng.below(1'000) + 1) / 1'000.0;
  return present ? share * maximum : 0.0;
}

Faults draw_faults(Rng& rng) {
  Faults f;
  f.delay_max = rng.pick(std::vector<Duration>{Duration(200), Duration(2'000), Duration(20'000)});
  f.delay_tail = maybe(rng, 0.3, 0.02);
  f.delay_tail_max = rng.pick(std::vector<Duration>{Duration(50'000), Duration(400'000)});
  f.loss = maybe(rng, 0.3, 0.05);
  f.duplicate = maybe(rng, 0.3, 0.05);
  f.reorder = maybe(rng, 0.3, 0.05);
  f.reset = maybe(rng, 0.3, 0.002);
  f.keep_unsent = rng.chance(0.5);
  f.link_queue = rng.chance(0.2) ? 8 : 100'000;
  f.pub_loss = maybe(rng, 0.4, 0.3);
  f.pub_queue = rng.chance(0.3) ? 10 : 10'000;
  f.reset_after_min = rng.chance(0.5) ? Duration(0) : Duration(2'000'000);
  f.reset_after_max = f.reset_after_min + (rng.chance(0.5) ? Duration(500'000) : Duration(8'000'000));
  f.turn_delay_max = rng.chance(0.7) ? Duration(50) : Duration(2'000);
  f.worker_start_max = rng.chance(0.7) ? Duration(500) : Duration(50'000);
  f.worker_stop_max = rng.chance(0.7) ? Duration(500) : Duration(50'000);
  f.worker_start_failure = maybe(rng, 0.1, 0.05);
  f.worker_crash = maybe(rng, 0.2, 0.05);
  return f;
}

SwarmFaults::SwarmFaults(const SimCluster& cluster, Rng rng, std::uint32_t nodes)
    : cluster_(cluster), rng_(rng) {
  for (std::uint32_t i = 0; i < nodes; ++i) initial_.push_back(node_name(i));
  for (std::uint32_t i = nodes; i < nodes + kSpareNames; ++i) spare_.push_back(node_name(i));
  const auto known = rng_.chance(0.5) ? initial_.size() : 1 + rng_.below(initial_.size());
  seeds_.assign(initial_.begin(), initial_.begin() + static_cast<std::ptrdiff_t>(known));
  bool needs_calm = false;
  for (const char* action :
       {"crash", "vanish", "restart", "join", "leave", "pause", "split", "cut", "one_way", "reset", "clog"}) {
    if (!rng_.chance(0.5)) continue;
    actions_.emplace_back(action);
    const std::string name = action;
    needs_calm = needs_calm || name == "split" || name == "cut" || name == "one_way" || name == "clog";
  }
  if (actions_.empty()) actions_.emplace_back("join");
  if (needs_calm) actions_.emplace_back("calm");
}

std::string SwarmFaults::str() const { return fmt::format("{}", fmt::join(actions_, " ")); }

Words SwarmFaults::boot(const std::string& name) const {
  Words words{"boot", name, "seeds"};
  words.insert(words.end(), seeds_.begin(), seeds_.end());
  return words;
}

std::vector<PlannedAction> SwarmFaults::draw_boot() {
  std::vector<PlannedAction> out;
  Time at{};
  for (const auto& name : initial_) {
    if (rng_.chance(0.2)) at += rng_.between(Duration(1'000), Duration(3'000'000));
    out.push_back({at, boot(name)});
  }
  return out;
}

Words SwarmFaults::draw() {
  const auto& action = rng_.pick(actions_);
  if (action == "crash" || action == "vanish") return crash(action.c_str());
  if (action == "restart") return restart();
  if (action == "join") return join();
  if (action == "leave") return leave();
  if (action == "pause") return pause();
  if (action == "split") return split();
  if (action == "clog") return clog();
  if (action == "calm") return {"calm"};
  return cut(action.c_str());
}

std::string SwarmFaults::any_running() {
  const auto running = cluster_.running_nodes();
  return running.empty() ? std::string() : rng_.pick(running)->name();
}

std::vector<std::string> SwarmFaults::two_running() {
  auto running = cluster_.running_nodes();
  if (running.size() < 2) return {};
  rng_.shuffle(running);
  return {running[0]->name(), running[1]->name()};
}

Words SwarmFaults::crash(const char* how) {
  if (cluster_.running_nodes().size() < 2) return {};
  return {how, any_running()};
}

Words SwarmFaults::restart() {
  std::vector<std::string> gone;
  for (const auto* node : cluster_.nodes()) {
    if (!node->running()) gone.push_back(node->name());
  }
  if (!gone.empty()) return {"restart", rng_.pick(gone)};
  // Killed and back at once: the others may not have noticed yet.
  if (!rng_.chance(0.5)) return {};
  return {"restart", any_running()};
}

Words SwarmFaults::join() {
  if (spare_.empty()) return {};
  const auto name = spare_.back();
  spare_.pop_back();
  return boot(name);
}

Words SwarmFaults::leave() {
  if (cluster_.running_nodes().size() < 2) return {};
  return {"leave", any_running()};
}

Words SwarmFaults::pause() {
  const auto name = any_running();
  if (name.empty() || cluster_.node(name).life() != NodeLife::up) return {};
  const auto length = rng_.chance(0.5) ? rng_.between(Duration(10'000), Duration(1'000'000))
                                       : rng_.between(Duration(1'000'000), Duration(8'000'000));
  return {"pause", name, format_duration(length)};
}

Words SwarmFaults::split() {
  auto running = cluster_.running_nodes();
  if (running.size() < 2) return {};
  rng_.shuffle(running);
  const auto share = 1 + rng_.below(running.size() - 1);
  Words words{"split"};
  for (std::size_t i = 0; i < running.size(); ++i) {
    if (i == share) words.emplace_back("|");
    words.push_back(running[i]->name());
  }
  return words;
}

/// In both directions or one, or a connection that breaks.
Words SwarmFaults::cut(const char* how) {
  const auto pair = two_running();
  if (pair.empty()) return {};
  return {how, pair[0], pair[1]};
}

Words SwarmFaults::cut_in_mesh() {
  if (cluster_.running_nodes().size() < 3) return {};
  return cut(rng_.chance(0.5) ? "cut" : "one_way");
}

Words SwarmFaults::clog() {
  const auto pair = two_running();
  if (pair.empty()) return {};
  return {"clog", pair[0], pair[1], format_duration(rng_.between(Duration(50'000), Duration(3'000'000)))};
}

}  // namespace processhub::sim
