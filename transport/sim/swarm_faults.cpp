#include "transport/sim/swarm_faults.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace processhub::sim {
namespace {

constexpr std::uint32_t kSpareNames = 3;

std::string node_name(std::uint32_t index) { return std::string(1, static_cast<char>('a' + index)); }

/// Present with the probability, then anything up to the maximum.
double maybe(Rng& rng, double probability, double maximum) {
  const bool present = rng.chance(probability);
  const double share = static_cast<double>(rng.below(1'000) + 1) / 1'000.0;
  return present ? share * maximum : 0.0;
}

}  // namespace

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

SwarmFaults::SwarmFaults(SimCluster& cluster, Rng rng, std::uint32_t nodes) : cluster_(cluster), rng_(rng) {
  for (std::uint32_t i = 0; i < nodes; ++i) initial_.push_back(node_name(i));
  for (std::uint32_t i = nodes; i < nodes + kSpareNames; ++i) spare_.push_back(node_name(i));
  const auto known = rng_.chance(0.5) ? initial_.size() : 1 + rng_.below(initial_.size());
  seeds_.assign(initial_.begin(), initial_.begin() + static_cast<std::ptrdiff_t>(known));
  for (const auto action :
       {Action::crash, Action::vanish, Action::restart, Action::join, Action::leave, Action::pause,
        Action::split, Action::cut_pair, Action::cut_one_way, Action::reset, Action::clog}) {
    if (rng_.chance(0.5)) actions_.push_back(action);
  }
  if (actions_.empty()) actions_.push_back(Action::join);
  const auto has = [this](Action action) {
    return std::find(actions_.begin(), actions_.end(), action) != actions_.end();
  };
  if (has(Action::split) || has(Action::cut_pair) || has(Action::cut_one_way) || has(Action::clog)) {
    actions_.push_back(Action::heal);
  }
}

std::string_view SwarmFaults::name_of(Action action) {
  switch (action) {
    case Action::crash:
      return "crash";
    case Action::vanish:
      return "vanish";
    case Action::restart:
      return "restart";
    case Action::join:
      return "join";
    case Action::leave:
      return "leave";
    case Action::pause:
      return "pause";
    case Action::split:
      return "split";
    case Action::cut_pair:
      return "cut";
    case Action::cut_one_way:
      return "one_way";
    case Action::reset:
      return "reset";
    case Action::clog:
      return "clog";
    case Action::heal:
      return "heal";
  }
  return "?";
}

std::string SwarmFaults::str() const {
  std::string out;
  for (const auto action : actions_) out += fmt::format("{}{}", out.empty() ? "" : " ", name_of(action));
  return out;
}

void SwarmFaults::add(const std::string& name) { cluster_.add_node(name, seeds_); }

void SwarmFaults::boot() {
  for (const auto& name : initial_) {
    if (rng_.chance(0.2)) cluster_.run_for(rng_.between(Duration(1'000), Duration(3'000'000)));
    add(name);
  }
}

void SwarmFaults::act() {
  switch (rng_.pick(actions_)) {
    case Action::crash:
      return crash(SimNetwork::Detach::closed);
    case Action::vanish:
      return crash(SimNetwork::Detach::silent);
    case Action::restart:
      return restart();
    case Action::join:
      return join();
    case Action::leave:
      return leave();
    case Action::pause:
      return pause();
    case Action::split:
      return split();
    case Action::cut_pair:
      return cut(true);
    case Action::cut_one_way:
      return cut(false);
    case Action::reset:
      if (const auto pair = two_running(); !pair.empty()) {
        cluster_.note(fmt::format("reset {} - {}", pair[0], pair[1]));
        cluster_.network().reset_between(cluster_.node(pair[0]).host(), cluster_.node(pair[1]).host());
      }
      return;
    case Action::clog:
      return clog();
    case Action::heal:
      return calm();
  }
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

void SwarmFaults::crash(SimNetwork::Detach how) {
  if (cluster_.running_nodes().size() > 1) cluster_.crash(any_running(), how);
}

void SwarmFaults::restart() {
  std::vector<std::string> gone;
  for (const auto* node : cluster_.nodes()) {
    if (!node->running()) gone.push_back(node->name());
  }
  if (!gone.empty()) return cluster_.restart(rng_.pick(gone));
  // Killed and back at once: the others may not have noticed yet.
  if (rng_.chance(0.5)) cluster_.restart(any_running());
}

void SwarmFaults::join() {
  if (spare_.empty()) return;
  add(spare_.back());
  spare_.pop_back();
}

void SwarmFaults::leave() {
  if (cluster_.running_nodes().size() > 1) cluster_.leave(any_running());
}

void SwarmFaults::pause() {
  const auto name = any_running();
  if (name.empty() || cluster_.node(name).life() != NodeLife::up) return;
  cluster_.pause(name);
  const auto length = rng_.chance(0.5) ? rng_.between(Duration(10'000), Duration(1'000'000))
                                       : rng_.between(Duration(1'000'000), Duration(8'000'000));
  const auto id = cluster_.node(name).id();
  cluster_.scheduler().after(length, [this, name, id] {
    if (cluster_.node(name).id() == id && cluster_.node(name).life() == NodeLife::paused)
      cluster_.resume(name);
  });
}

void SwarmFaults::split() {
  auto running = cluster_.running_nodes();
  if (running.size() < 2) return;
  rng_.shuffle(running);
  const auto share = 1 + rng_.below(running.size() - 1);
  std::vector<std::string> left;
  std::vector<std::string> right;
  for (std::size_t i = 0; i < running.size(); ++i) (i < share ? left : right).push_back(running[i]->name());
  cluster_.split(left, right);
}

void SwarmFaults::cut(bool both_ways) {
  const auto pair = two_running();
  if (pair.empty()) return;
  if (both_ways) {
    cluster_.cut_both(pair[0], pair[1]);
  } else {
    cluster_.cut(pair[0], pair[1]);
  }
}

void SwarmFaults::cut_in_mesh() {
  if (cluster_.running_nodes().size() > 2) cut(rng_.chance(0.5));
}

void SwarmFaults::clog() {
  const auto pair = two_running();
  if (pair.empty()) return;
  const auto extra = rng_.between(Duration(50'000), Duration(3'000'000));
  cluster_.note(fmt::format("clog {} -> {} {}", pair[0], pair[1], format_duration(extra)));
  cluster_.network().clog(cluster_.node(pair[0]).host(), cluster_.node(pair[1]).host(), extra);
}

void SwarmFaults::calm() {
  cluster_.heal_all();
  for (const auto* a : cluster_.nodes()) {
    for (const auto* b : cluster_.nodes()) cluster_.network().clog(a->host(), b->host(), Duration(0));
  }
}

void SwarmFaults::stop() {
  calm();
  auto& f = cluster_.faults();
  f.loss = f.duplicate = f.reorder = f.reset = f.pub_loss = f.delay_tail = 0;
  f.worker_start_failure = f.worker_crash = 0;
  f.link_queue = f.pub_queue = 100'000;
  for (const auto* node : cluster_.running_nodes()) {
    if (node->life() == NodeLife::paused) cluster_.resume(node->name());
  }
  const bool listening = std::any_of(seeds_.begin(), seeds_.end(), [this](const std::string& seed) {
    return cluster_.has_node(seed) && cluster_.node(seed).running();
  });
  // Nodes that never met can only meet at a seed.
  if (!listening) cluster_.restart(seeds_.front());
  cluster_.note("faults stop");
}

}  // namespace processhub::sim
