#include "transport/sim/swarm_more.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "strategies/builtin.hpp"
#include "transport/sim/swarm_faults.hpp"

namespace processhub::sim {
namespace {

/// Three seeds of ten ask for a quorum.
void draw_quorum(Rng rng, Plan& plan) {
  if (!rng.chance(0.3)) return;
  const std::vector<std::string> names{"static_quorum", "dynamic_quorum", "majority_quorum"};
  const auto& name = rng.pick(names);
  const auto add = [&](const char* option, std::string value) {
    plan.options.emplace_back(std::string("partition_tolerance.") + option, std::move(value));
  };
  plan.options.emplace_back("partition_tolerance", name);
  // A long one goes on for longer than silence is noticed: only who waits for it does not run things twice.
  if (rng.chance(0.5)) add("quorum_lease", rng.chance(0.5) ? "1s" : "6s");
  if (name == "static_quorum") {
    add("quorum_size", std::to_string(2 + rng.below(3)));
    if (rng.chance(0.3)) add("startup_confirm", "false");
  } else if (name == "dynamic_quorum") {
    add("quorum_size", rng.pick(std::vector<std::string>{"51", "60", "80"}));
    add("threshold_time", rng.chance(0.5) ? "5s" : "30s");
  } else {
    add("initial_cluster_size", std::to_string(1 + rng.below(3)));
    if (rng.chance(0.2)) add("track_max_size", "false");
  }
}

/// One strategy of each kind, by name, out of all there are.
void draw_strategies(Rng& rng, Plan& plan) {
  std::map<std::string, std::vector<std::string>> kinds;
  for (const auto& row : builtin_strategies().names()) {
    const auto slash = row.find('/');
    kinds[row.substr(0, slash)].push_back(row.substr(slash + 1));
  }
  for (const auto& [kind, names] : kinds) {
    if (kind == "partition_tolerance") {
      draw_quorum(rng.fork(), plan);
      continue;
    }
    const auto& name = rng.pick(names);
    if (names.size() > 1) plan.options.emplace_back(kind, name);
    if (name == "replication") {
      const std::vector<std::string> factors{"1", "2", "2", "3", "4", "cluster_size"};
      plan.options.emplace_back("redundancy.factor", rng.pick(factors));
      plan.options.emplace_back("redundancy.model", rng.chance(0.7) ? "active_passive" : "active_active");
    }
    if (name == "load_balancer") {
      const std::vector<std::string> intervals{"300ms", "1s", "10s"};
      plan.options.emplace_back("distribution.push_interval", rng.pick(intervals));
      plan.options.emplace_back("distribution.rebalance", rng.chance(0.5) ? "true" : "false");
    }
  }
}

/// Worse than this nodes may be taken for dead.
void draw_bad_frames(Rng& rng, Faults& faults) {
  faults.loss = maybe(rng, 0.7, 0.02);
  faults.duplicate = maybe(rng, 0.7, 0.03);
  faults.reorder = maybe(rng, 0.7, 0.03);
  faults.pub_loss = maybe(rng, 0.5, 0.03);
  if (rng.chance(0.5)) faults.delay_max = rng.between(Duration(400), Duration(5'000));
  if (rng.chance(0.5)) faults.worker_start_max = Duration(50'000);
}

}  // namespace

const std::vector<SwarmMore::Kind>& SwarmMore::kinds() {
  static const std::vector<Kind> all{{"flap", 0.3, false, &SwarmMore::flap},
                                     {"slow", 0.3, false, &SwarmMore::slow},
                                     {"jump", 0.3, false, &SwarmMore::jump},
                                     {"replace", 0.3, false, &SwarmMore::replace},
                                     {"roll", 0.25, true, &SwarmMore::roll},
                                     {"batch", 0.15, true, &SwarmMore::batch},
                                     {"burst", 0.5, true, &SwarmMore::burst},
                                     {"many_callers", 0.3, true, &SwarmMore::many_callers},
                                     {"both_sides", 0.3, false, &SwarmMore::both_sides},
                                     {"edits", 0.3, true, &SwarmMore::edits},
                                     {"asleep", 0.3, false, &SwarmMore::asleep},
                                     {"commute", 0.3, true, &SwarmMore::commute}};
  return all;
}

SwarmMore::SwarmMore(Rng rng) : rng_(rng) {
  const bool nothing = rng_.chance(0.2);
  planned_only_ = !nothing && rng_.chance(0.15);
  for (const auto& kind : kinds()) {
    const bool here = rng_.chance(kind.chance);
    if (here && !nothing && (kind.planned || !planned_only_)) here_.push_back(&kind);
  }
  next_version_ = !nothing && rng_.chance(0.2) ? 0.4 : 0.0;
}

void SwarmMore::change(Plan& plan) {
  draw_strategies(rng_, plan);
  const auto chosen = [&](const char* kind, const char* name) {
    return std::find(plan.options.begin(), plan.options.end(),
                     std::pair<std::string, std::string>(kind, name)) != plan.options.end();
  };
  // Where children wait for their node to return, a planned leave is felt.
  planned_only_ = planned_only_ && !chosen("distribution", "guided");
  loads_ = chosen("distribution", "load_balancer");
  const bool replicated = chosen("redundancy", "replication");
  counts_size_ =
      chosen("partition_tolerance", "dynamic_quorum") || chosen("partition_tolerance", "majority_quorum");
  if (replicated && rng_.chance(0.4)) zones_ = 2 + rng_.below(2);
  if (planned_only_) {
    plan.faults = {};
    if (rng_.chance(0.5)) draw_bad_frames(rng_, plan.faults);
    for (auto& [name, value] : plan.options) {
      if (name == "drain_timeout") value = "10s";  // long enough to hand over everything
      if (name == "partition_tolerance.quorum_size" && chosen("partition_tolerance", "static_quorum"))
        value = "2";  // so many never leave
    }
    return;
  }
  auto& f = plan.faults;
  if (rng_.chance(0.15)) {
    f.bandwidth = rng_.pick(std::vector<std::uint64_t>{50'000, 300'000, 3'000'000});
    // What waits for a narrow line is bounded by what it carries, or old frames would hold up new ones long
    // after the line is wide.
    const auto frames = std::min<std::uint64_t>(f.bandwidth / 1'000, 1'000);
    f.link_queue = std::min(f.link_queue, frames);
    f.pub_queue = std::min(f.pub_queue, frames);
  }
  f.worker_hang = maybe(rng_, 0.2, 0.05);
  f.worker_hang_max = rng_.pick(std::vector<Duration>{Duration(300'000), Duration(8'000'000)});
  if (rng_.chance(0.2)) f.clock_drift = rng_.chance(0.5) ? 0.0005 : 0.02;
}

std::string SwarmMore::str() const {
  std::string out = planned_only_ ? "planned only" : "";
  for (const auto* kind : here_) out += fmt::format("{}{}", out.empty() ? "" : " ", kind->name);
  if (next_version_ > 0) out += out.empty() ? "next_version" : " next_version";
  return out;
}

void SwarmMore::change_boot(Words& words) {
  if (next_version_ > 0 && rng_.chance(next_version_))
    words.insert(std::find(words.begin(), words.end(), "seeds"), "next_version");
  if (loads_)
    words.insert(words.begin() + (words[2] == "at" ? 4 : 2), {"cpu", fmt::format("0.{}", rng_.below(10))});
  if (zones_ == 0) return;
  auto at = words.begin() + (words[2] == "at" ? 4 : 2);
  // Some have none.
  if (const auto zone = rng_.below(zones_ + 1); zone > 0) {
    const auto name = fmt::format("z{}", zone);
    words.insert(at, {"zone", name});
  }
}

void SwarmMore::add(Duration delay, Words words) { due_.emplace(cluster_->now() + delay, std::move(words)); }

std::vector<PlannedAction> SwarmMore::take_due(Time until) {
  std::vector<PlannedAction> out;
  while (!due_.empty() && due_.begin()->first <= until) {
    out.push_back({due_.begin()->first, std::move(due_.begin()->second)});
    due_.erase(due_.begin());
  }
  return out;
}

void SwarmMore::draw(const SimCluster& cluster, SwarmUsers& users, const std::vector<std::string>& seeds) {
  cluster_ = &cluster;
  users_ = &users;
  seeds_ = &seeds;
  if (counts_size_ && !planned_only_ && rng_.chance(0.01)) reset_size();
  if (!here_.empty() && rng_.chance(0.1)) (this->*rng_.pick(here_)->act)();
}

std::vector<std::string> SwarmMore::up() const {
  std::vector<std::string> out;
  for (const auto* node : cluster_->running_nodes()) {
    if (node->life() == NodeLife::up) out.push_back(node->name());
  }
  return out;
}

std::vector<std::string> SwarmMore::two_up() {
  auto nodes = up();
  if (nodes.size() < 2) return {};
  rng_.shuffle(nodes);
  nodes.resize(2);
  return nodes;
}

std::string SwarmMore::some_child() {
  return users_->children().empty() ? std::string("c1") : rng_.pick(users_->children());
}

void SwarmMore::flap() {
  const auto pair = two_up();
  if (pair.empty()) return;
  const auto period = rng_.between(Duration(20'000), Duration(1'500'000));
  add({}, {"flap", pair[0], pair[1], format_duration(period), std::to_string(2 + rng_.below(8))});
}

/// Somebody has had enough of waiting for lost nodes.
void SwarmMore::reset_size() {
  if (const auto nodes = up(); !nodes.empty()) add({}, {"reset_size", rng_.pick(nodes)});
}

void SwarmMore::slow() {
  const auto nodes = up();
  if (nodes.empty()) return;
  const auto& name = rng_.pick(nodes);
  add({}, {"slow", name, format_duration(rng_.between(Duration(1'000), Duration(400'000)))});
  add(rng_.between(Duration(500'000), Duration(5'000'000)), {"slow", name, "0us"});
}

void SwarmMore::jump() {
  const auto nodes = up();
  if (nodes.empty()) return;
  const auto ahead = rng_.chance(0.5) ? rng_.between(Duration(10'000), Duration(1'000'000))
                                      : rng_.between(Duration(1'000'000), Duration(100'000'000));
  add({}, {"jump", rng_.pick(nodes), format_duration(ahead)});
}

/// Another name at the address of a node that is gone, or that goes now.
void SwarmMore::replace() {
  std::vector<const SimNode*> gone;
  for (const auto* node : cluster_->nodes()) {
    if (!node->running() && !cluster_->network().attached(node->host())) gone.push_back(node);
  }
  if (gone.empty()) {
    const auto nodes = up();
    if (nodes.size() < 2) return;
    gone.push_back(&cluster_->node(rng_.pick(nodes)));
    add({}, {"crash", gone.back()->name()});
  }
  Words words{"boot", fmt::format("r{}", ++renamed_), "at", cluster_->network().name(rng_.pick(gone)->host()),
              "seeds"};
  words.insert(words.end(), seeds_->begin(), seeds_->end());
  add(rng_.chance(0.5) ? Duration(0) : rng_.between(Duration(10'000), Duration(4'000'000)), std::move(words));
}

/// Some or all nodes one after the other; sometimes without waiting for much.
void SwarmMore::roll() {
  auto nodes = up();
  if (nodes.size() < 2) return;
  if (rng_.chance(0.5)) nodes.resize(1 + rng_.below(nodes.size()));
  const auto apart = rng_.between(Duration(300'000), Duration(3'000'000));
  Duration at{};
  for (const auto& name : nodes) {
    add(at, {"leave", name});
    at += apart;
    add(at, {"restart", name});
    at += rng_.chance(0.5) ? Duration(0) : apart;
  }
}

void SwarmMore::batch() {
  const auto nodes = up();
  if (nodes.empty() || batches_ == 2) return;
  const auto prefix = fmt::format("b{}x", ++batches_);
  const auto count = 100 + rng_.below(300);
  const auto timeout = rng_.between(Duration(2'000'000), Duration(8'000'000));
  add({}, {"start", rng_.pick(nodes), "timeout", format_duration(timeout - timeout % 1'000),
           fmt::format("{0}1..{0}{1}/{2}", prefix, count, rng_.chance(0.3) ? "//temporary" : "/red")});
  for (int i = 0; i < 6; ++i) {
    const auto id = fmt::format("{}{}", prefix, 1 + rng_.below(count));
    const auto later = rng_.between(Duration(1'000), Duration(6'000'000));
    const auto& name = rng_.pick(nodes);
    if (rng_.chance(0.5)) {
      add(later, {"cast", name, id, "1", number()});
    } else {
      add(later, {"call", name, id, "add", "1", number(), "3s"});
    }
  }
  if (rng_.chance(0.3))
    add(rng_.between(Duration(100'000), Duration(6'000'000)),
        {"stop_prefix", rng_.pick(nodes), prefix + "1"});
}

/// One sender, one child: the order must be kept.
void SwarmMore::burst() {
  const auto nodes = up();
  if (nodes.empty()) return;
  const auto& name = rng_.pick(nodes);
  const auto id = some_child();
  const auto apart = rng_.chance(0.5) ? Duration(0) : rng_.between(Duration(100), Duration(100'000));
  const auto count = 4 + static_cast<int>(rng_.below(12));
  for (int i = 0; i < count; ++i) {
    if (rng_.chance(0.2)) {
      add(apart * i, {"call", name, id, "add", "1", number(), "4s"});
    } else {
      add(apart * i, {"cast", name, id, "1", number()});
    }
  }
}

/// A child goes to and fro while one sender speaks to it.
void SwarmMore::commute() {
  const auto pair = two_up();
  if (pair.empty()) return;
  const auto nodes = up();
  const auto& sender = rng_.pick(nodes);
  const auto id = some_child();
  const auto apart = rng_.between(Duration(50'000), Duration(900'000));
  const auto moves = 2 + static_cast<int>(rng_.below(5));
  for (int i = 0; i < moves; ++i) {
    const auto& target = pair[static_cast<std::size_t>(i % 2)];
    add(apart * i, {"migrate", rng_.pick(nodes), id, target});
    for (int n = 0; n < 6; ++n) {
      add(apart * i + apart * n / 6, {"cast", sender, id, "1", number()});
    }
  }
}

void SwarmMore::many_callers() {
  const auto id = some_child();
  for (const auto& name : up()) {
    for (int i = 0; i < 3; ++i)
      add(rng_.between(Duration(0), Duration(50'000)), {"call", name, id, "add", "1", number(), "4s"});
  }
}

/// Several nodes change the same child at nearly the same time: all must end with the same of these changes.
void SwarmMore::edits() {
  const auto id = some_child();
  const auto nodes = up();
  for (std::uint64_t i = 0; !nodes.empty() && i < 2 + rng_.below(4); ++i) {
    add(rng_.between(Duration(0), Duration(20'000)),
        {"metadata", rng_.pick(nodes), id, fmt::format("edit={}", rng_.below(1'000))});
  }
}

/// Children are started while a node that may have to start them sleeps: it hears of it too late.
void SwarmMore::asleep() {
  const auto pair = two_up();
  if (pair.empty()) return;
  add({}, {"pause", pair[0], format_duration(rng_.between(Duration(1'500'000), Duration(6'000'000)))});
  const auto prefix = fmt::format("a{}x", 1 + rng_.below(1'000));
  add(Duration(10'000), {"start", pair[1], "timeout", "8s", fmt::format("{0}1..{0}6", prefix)});
  if (rng_.chance(0.5)) {
    add(Duration(5'000), {"one_way", pair[1], pair[0]});
    add(rng_.between(Duration(2'000'000), Duration(8'000'000)), {"calm"});
  }
}

/// The same id is started on both sides of a cut, which heals some time later.
void SwarmMore::both_sides() {
  auto nodes = up();
  if (nodes.size() < 2) return;
  rng_.shuffle(nodes);
  const auto share = 1 + rng_.below(nodes.size() - 1);
  Words split{"split"};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (i == share) split.emplace_back("|");
    split.push_back(nodes[i]);
  }
  add({}, std::move(split));
  const auto id = fmt::format("s{}", 1 + rng_.below(3));
  add(rng_.between(Duration(0), Duration(4'000'000)), {"start", nodes.front(), id + "//red"});
  add(rng_.between(Duration(0), Duration(4'000'000)),
      {"start", nodes.back(), id + (rng_.chance(0.5) ? "//blue" : "//red")});
  if (rng_.chance(0.3))
    add(rng_.between(Duration(1'000'000), Duration(5'000'000)), {"stop", nodes.front(), id});
  add(rng_.between(Duration(1'000'000), Duration(6'000'000)), {"calm"});
}

}  // namespace processhub::sim
