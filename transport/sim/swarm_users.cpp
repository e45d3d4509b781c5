#include "transport/sim/swarm_users.hpp"

#include <fmt/format.h>

namespace processhub::sim {
namespace {

const std::vector<std::string> kTags{"", "", "red", "blue"};

std::string milliseconds(std::int64_t count) { return format_duration(Duration(count * 1'000)); }

}  // namespace

SwarmUsers::SwarmUsers(const SimCluster& cluster, Rng rng) : cluster_(cluster), rng_(rng) {}

std::string SwarmUsers::somewhere() {
  std::vector<std::string> up;
  for (const auto* node : cluster_.running_nodes()) {
    if (node->life() == NodeLife::up) up.push_back(node->name());
  }
  return up.empty() ? std::string() : rng_.pick(up);
}

std::vector<Words> SwarmUsers::draw() {
  if (somewhere().empty()) return {};
  if (children_.empty()) return {start()};
  const auto dice = rng_.below(100);
  if (dice < 25) return {start()};
  if (dice < 28) return start_same_id_twice();
  if (dice < 38) return {stop()};
  if (dice < 40) return {stop_many()};
  if (dice < 43) return {change_metadata()};
  if (dice < 45) return {migrate()};
  if (dice < 70) return {call()};
  if (dice < 85) return {cast()};
  if (dice < 87) return {{"broadcast", somewhere(), "blue"}};
  if (dice < 94) {
    const auto id = some_child();
    return {{dice < 92 ? "crash_child" : "restart_child", somewhere(), id}};
  }
  if (dice < 97) return {lock()};
  const bool global = rng_.chance(0.5);
  return {{"dispatch", somewhere(), global ? "global" : "local"}};
}

std::string SwarmUsers::draw_child(const std::string& id) {
  const auto& tag = rng_.pick(kTags);
  std::string type;
  auto restart = Restart::permanent;
  const auto dice = rng_.below(100);
  if (dice < 3) type = "broken";
  if (dice >= 3 && dice < 8) type = "slow";
  if (dice >= 8 && dice < 11) type = "stuck";
  if (dice >= 11 && dice < 14) {
    type = "finisher";
    restart = rng_.chance(0.5) ? Restart::transient : Restart::temporary;
  }
  if (dice >= 14 && dice < 18) restart = Restart::transient;
  if (dice >= 18 && dice < 22) restart = Restart::temporary;
  auto out = fmt::format("{}/{}/{}/{}", id, type, tag,
                         restart == Restart::permanent ? std::string_view() : to_string(restart));
  out.erase(out.find_last_not_of('/') + 1);
  return out;
}

Words SwarmUsers::start() {
  Words words{"start", "", "timeout", milliseconds(rng_.between(std::int64_t{500}, std::int64_t{8'000}))};
  if (rng_.chance(0.2)) words.emplace_back("rollback");
  if (!rng_.chance(0.9)) words.emplace_back("unchecked");
  const auto count = rng_.chance(0.7) ? 1 : 1 + rng_.below(8);
  for (std::uint64_t i = 0; i < count; ++i) {
    // Sometimes an id that was used before.
    const bool again = !children_.empty() && rng_.chance(0.1);
    const auto id = again ? some_child() : fmt::format("c{}", ++last_child_);
    if (!again) children_.push_back(id);
    words.push_back(draw_child(id));
  }
  words[1] = somewhere();
  return words;
}

std::vector<Words> SwarmUsers::start_same_id_twice() {
  const auto id = fmt::format("d{}", ++last_child_);
  children_.push_back(id);
  std::vector<Words> out;
  for (int i = 0; i < 2; ++i) {
    auto child = draw_child(id);
    out.push_back({"start", somewhere(), std::move(child)});
  }
  return out;
}

Words SwarmUsers::stop() {
  Words words{"stop", "", "timeout", milliseconds(rng_.between(std::int64_t{500}, std::int64_t{8'000}))};
  const auto count = 1 + rng_.below(3);
  for (std::uint64_t i = 0; i < count; ++i) words.push_back(some_child());
  words[1] = somewhere();
  return words;
}

Words SwarmUsers::stop_many() {
  if (!rng_.chance(0.5)) return {"stop_tag", somewhere(), "red"};
  auto prefix = fmt::format("c{}", 1 + rng_.below(9));
  return {"stop_prefix", somewhere(), std::move(prefix)};
}

Words SwarmUsers::migrate() {
  const auto id = some_child();
  const auto target = somewhere();
  return {"migrate", somewhere(), id, target};
}

Words SwarmUsers::change_metadata() {
  auto value = fmt::format("version={}", rng_.below(1'000));
  const auto id = some_child();
  return {"metadata", somewhere(), id, std::move(value)};
}

/// Every message has a number of its own, so that losing, doubling and lying about it shows.
Words SwarmUsers::call() {
  const auto timeout = rng_.between(Duration(50'000), Duration(5'000'000));
  const std::string message = rng_.chance(0.9) ? "add" : "mute";
  const auto amount = rng_.between(std::int64_t{1}, std::int64_t{9});
  const auto id = some_child();
  return {"call", somewhere(), id, message, std::to_string(amount), number(), format_duration(timeout)};
}

Words SwarmUsers::cast() {
  const auto id = some_child();
  return {"cast", somewhere(), id, "1", number()};
}

Words SwarmUsers::lock() {
  const auto name = somewhere();
  if (rng_.chance(0.2)) return {"lock", name};
  return {"lock", name, format_duration(rng_.between(Duration(1'000), Duration(2'000'000)))};
}

}  // namespace processhub::sim
