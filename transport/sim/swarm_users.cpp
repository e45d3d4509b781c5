#include "transport/sim/swarm_users.hpp"

#include <fmt/format.h>

namespace processhub::sim {
namespace {

const std::vector<std::string> kTags{"", "", "red", "blue"};

}  // namespace

SwarmUsers::SwarmUsers(SimCluster& cluster, Rng rng) : cluster_(cluster), rng_(rng) {}

std::string SwarmUsers::somewhere() {
  std::vector<std::string> up;
  for (const auto* node : cluster_.running_nodes()) {
    if (node->life() == NodeLife::up) up.push_back(node->name());
  }
  return up.empty() ? std::string() : rng_.pick(up);
}

void SwarmUsers::act() {
  if (somewhere().empty()) return;
  if (children_.empty()) return start();
  const auto dice = rng_.below(100);
  if (dice < 25) return start();
  if (dice < 28) return start_same_id_twice();
  if (dice < 38) return stop();
  if (dice < 40) return stop_many();
  if (dice < 45) return change_metadata();
  if (dice < 70) return call();
  if (dice < 85) return cast();
  if (dice < 87) return broadcast();
  if (dice < 92) return crash_child();
  if (dice < 94) return restart_child();
  if (dice < 97) return lock();
  dispatch();
}

ChildSpec SwarmUsers::draw_spec(const std::string& id) {
  ChildSpec spec;
  spec.id = id;
  spec.type = "counter";
  spec.tag = rng_.pick(kTags);
  spec.metadata["by"] = "swarm";
  spec.shutdown_timeout = std::chrono::milliseconds(1'000);
  const auto dice = rng_.below(100);
  if (dice < 3) spec.type = "broken";
  if (dice >= 3 && dice < 8) spec.type = "slow";
  if (dice >= 8 && dice < 11) spec.type = "stuck";
  if (dice >= 11 && dice < 14) {
    spec.type = "finisher";
    spec.restart = rng_.chance(0.5) ? Restart::transient : Restart::temporary;
  }
  if (dice >= 14 && dice < 18) spec.restart = Restart::transient;
  if (dice >= 18 && dice < 22) spec.restart = Restart::temporary;
  return spec;
}

void SwarmUsers::start() {
  StartOptions options;
  options.timeout = std::chrono::milliseconds(rng_.between(std::int64_t{500}, std::int64_t{8'000}));
  options.on_failure = rng_.chance(0.2) ? OnFailure::rollback : OnFailure::cont;
  options.check_existing = rng_.chance(0.9);
  std::vector<ChildSpec> specs;
  const auto count = rng_.chance(0.7) ? 1 : 1 + rng_.below(8);
  for (std::uint64_t i = 0; i < count; ++i) {
    // Sometimes an id that was used before.
    const bool again = !children_.empty() && rng_.chance(0.1);
    const auto id = again ? some_child() : fmt::format("c{}", ++last_child_);
    if (!again) children_.push_back(id);
    specs.push_back(draw_spec(id));
  }
  cluster_.start(somewhere(), std::move(specs), options);
}

void SwarmUsers::start_same_id_twice() {
  const auto id = fmt::format("d{}", ++last_child_);
  children_.push_back(id);
  for (int i = 0; i < 2; ++i) cluster_.start(somewhere(), {draw_spec(id)});
}

void SwarmUsers::stop() {
  StopOptions options;
  options.timeout = std::chrono::milliseconds(rng_.between(std::int64_t{500}, std::int64_t{8'000}));
  std::vector<std::string> ids;
  const auto count = 1 + rng_.below(3);
  for (std::uint64_t i = 0; i < count; ++i) ids.push_back(some_child());
  cluster_.stop(somewhere(), protocol::event::Select::ids, std::move(ids), options);
}

void SwarmUsers::stop_many() {
  if (rng_.chance(0.5)) {
    cluster_.stop(somewhere(), protocol::event::Select::prefix, {fmt::format("c{}", 1 + rng_.below(9))});
  } else {
    cluster_.stop(somewhere(), protocol::event::Select::tag, {"red"});
  }
}

void SwarmUsers::change_metadata() {
  cluster_.metadata(somewhere(), some_child(), {{"version", std::to_string(rng_.below(1'000))}});
}

/// Every message has a number of its own, so that losing, doubling and lying about it shows.
Bytes SwarmUsers::numbered(std::int64_t amount) { return fmt::format("{} #{}", amount, ++last_message_); }

void SwarmUsers::call() {
  const auto timeout = rng_.between(Duration(50'000), Duration(5'000'000));
  const std::string message = rng_.chance(0.9) ? "add" : "mute";
  cluster_.call(somewhere(), some_child(), message, numbered(rng_.between(std::int64_t{1}, std::int64_t{9})),
                timeout);
}

void SwarmUsers::cast() { cluster_.cast(somewhere(), some_child(), "add", numbered(1)); }

void SwarmUsers::broadcast() { cluster_.broadcast(somewhere(), "blue", "add", "1"); }

void SwarmUsers::crash_child() { cluster_.cast(somewhere(), some_child(), "crash", {}); }

void SwarmUsers::restart_child() { cluster_.restart_child(somewhere(), some_child()); }

void SwarmUsers::lock() {
  const auto name = somewhere();
  const auto& operation = cluster_.lock(name, "maintenance", 10);
  if (rng_.chance(0.2)) return;  // forgotten: the hub frees it after its deadlock timeout
  const auto number = operation.number;
  cluster_.scheduler().after(rng_.between(Duration(1'000), Duration(2'000'000)), [this, name, number] {
    const auto& held = cluster_.operations()[number - 1];
    if (held.ok() && cluster_.find(held.node) != nullptr) cluster_.unlock(name, held.lock);
  });
}

void SwarmUsers::dispatch() {
  cluster_.dispatch(somewhere(), "news", "hello", rng_.chance(0.5) ? Scope::global : Scope::local);
}

}  // namespace processhub::sim
