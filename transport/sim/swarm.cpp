#include "transport/sim/swarm.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "transport/sim/life.hpp"
#include "transport/sim/swarm_clients.hpp"
#include "transport/sim/swarm_faults.hpp"
#include "transport/sim/swarm_more.hpp"
#include "transport/sim/swarm_users.hpp"

namespace processhub::sim {
namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

Options draw_options(Rng& rng) {
  Options out;
  // Short, so that what they guard happens within one run.
  out.emplace_back("drain_timeout", fmt::format("{}ms", rng.between(std::int64_t{500}, std::int64_t{5'000})));
  out.emplace_back("deadlock_recovery_timeout", "8s");
  out.emplace_back("purge_interval", rng.chance(0.5) ? "3s" : "15s");
  out.emplace_back("spec_copies", std::to_string(rng.below(4)));
  if (rng.chance(0.2)) out.emplace_back("max_concurrent_moves", "3");
  return out;
}

/// Draws the life of a seed while it happens.
class Swarm {
 public:
  Swarm(std::uint64_t seed, const SwarmOptions& options, const Trace::Sink& sink)
      : rng_(seed * 0x9E3779B97F4A7C15ULL + 0xD1B54A32D192ED03ULL),
        more_(Rng(seed * 0xD6E8FEB86659FD93ULL + 0x2545F4914F6CDD1DULL)),
        plan_(draw_plan(options)),
        nodes_(static_cast<std::uint32_t>(rng_.between(options.nodes_min, options.nodes_max))),
        active_(rng_.between(options.active_min, options.active_max)),
        life_(plan_, options, sink),
        faults_(life_.cluster(), rng_.fork(), nodes_),
        users_(life_.cluster(), rng_.fork()),
        clients_(Rng(seed * 0xC2B2AE3D27D4EB4FULL + 0x165667B19E3779F9ULL)) {}

  SwarmResult run(std::uint64_t seed, const Trace::Sink& sink) {
    const auto setup =
        fmt::format("{} nodes, {} active, faults [{}], actions [{}], more [{}]{}", nodes_,
                    format_duration(active_), plan_.faults.str(), faults_.str(), more_.str(), clients_.str());
    if (sink) sink(setup);
    for (auto& action : faults_.draw_boot()) act(action.at, std::move(action.words));
    const auto end = life_.now() + active_;
    while (life_.now() < end && life_.unbroken()) step();
    plan_.active = life_.now();
    come_to_rest();
    auto result = life_.result();
    result.seed = seed;
    result.setup = setup;
    result.plan = std::move(plan_);
    return result;
  }

 private:
  Plan draw_plan(const SwarmOptions& options) {
    Plan plan;
    plan.seed = rng_.next();
    plan.options = draw_options(rng_);
    plan.faults = draw_faults(rng_);
    more_.change(plan);
    for (const auto& [name, value] : options.faults) {
      if (auto set = plan.faults.set(name, value); !set) throw std::invalid_argument(set.error().message);
    }
    plan.clocks = rng_.chance(0.5) ? Duration(0) : Duration(1'000'000'000);
    return plan;
  }

  void act(Time at, Words words) {
    if (words.empty()) return;
    if (words.front() == "boot") more_.change_boot(words);
    if (more_.planned_only() && !keep_to_plan(words)) return;
    plan_.actions.push_back({at, words});
    life_.act(at, std::move(words));
  }

  /// In a seed where nothing goes wrong: one node at a time leaves, and only one that has left comes back.
  bool keep_to_plan(Words& words) {
    const auto& verb = words.front();
    for (auto& word : words) word = without_type(word);
    // A temporary child must survive a leave, too.
    if (verb == "start" && words.size() % 2 == 0)
      words.back() = words.back().substr(0, words.back().find('/')) + "///temporary";
    if (verb == "leave") {
      const bool enough = life_.cluster().running_nodes().size() > 2;
      if (!enough || life_.now() < next_leave_) return false;
      next_leave_ = life_.now() + Duration(3'000'000);
      return true;
    }
    if (verb == "restart") return life_.cluster().node(words[1]).life() == NodeLife::left;
    const std::vector<std::string> allowed{"boot",     "start",    "stop",      "stop_prefix",
                                           "stop_tag", "metadata", "broadcast", "call",
                                           "cast",     "migrate",  "dispatch",  "client"};
    return std::find(allowed.begin(), allowed.end(), verb) != allowed.end();
  }

  /// Workers that end or hang by themselves are none.
  static std::string without_type(const std::string& word) {
    for (const auto* type : {"/broken", "/slow", "/stuck", "/finisher"}) {
      if (const auto at = word.find(type); at != std::string::npos)
        return word.substr(0, at + 1) + word.substr(at + std::string(type).size());
    }
    return word;
  }

  void step() {
    const auto at = life_.now() + rng_.between(Duration(1'000), Duration(300'000));
    for (auto& action : more_.take_due(at)) act(action.at, std::move(action.words));
    life_.run_to(at);
    more_.draw(life_.cluster(), users_, faults_.seeds());
    for (auto& action : more_.take_due(at)) act(action.at, std::move(action.words));
    for (auto& words : clients_.draw(users_, faults_.seeds())) act(at, std::move(words));
    if (rng_.chance(0.75)) {
      for (auto& words : users_.draw()) act(at, std::move(words));
    }
    if (rng_.chance(0.12)) disturb(at);
  }

  /// Where all is planned, a second node often comes before the first one has what it asked for.
  void disturb(Time at) {
    auto words = faults_.draw();
    const bool joins = !words.empty() && words.front() == "boot";
    act(at, std::move(words));
    if (joins && more_.planned_only() && rng_.chance(0.5))
      act(life_.now() + rng_.between(Duration(0), Duration(500'000)), faults_.join());
  }

  /// Half of the clusters come to rest as a whole; of some two halves must come to rest each for itself, or a
  /// mesh with a hole as one.
  void come_to_rest() {
    if (!life_.unbroken()) return;
    const bool halves = rng_.chance(0.3);
    const bool mesh = !halves && rng_.chance(0.3);
    life_.stop_faults();
    if ((halves || mesh) && life_.settle()) {
      auto words = halves ? faults_.split() : faults_.cut_in_mesh();
      if (words.empty()) words = {"calm"};  // too few nodes
      plan_.rest.push_back(words);
      life_.rest(words);
    }
    life_.end(plan_);
  }

  Rng rng_;
  SwarmMore more_;
  Plan plan_;
  std::uint32_t nodes_;
  Duration active_;
  Life life_;
  SwarmFaults faults_;
  SwarmUsers users_;
  SwarmClients clients_;
  Time next_leave_{};
};

}  // namespace

SwarmResult run_swarm(std::uint64_t seed, const SwarmOptions& options, const Trace::Sink& sink) {
  return Swarm(seed, options, sink).run(seed, sink);
}

SwarmResult run_plan(const Plan& plan, const SwarmOptions& options, const Trace::Sink& sink) {
  Life life(plan, options, sink);
  for (const auto& action : plan.actions) {
    if (life.unbroken()) life.act(action.at, action.words);
  }
  life.run_to(plan.active);
  if (life.unbroken()) {
    life.stop_faults();
    for (const auto& words : plan.rest) {
      if (life.settle()) life.rest(words);
    }
    life.end(plan);
  }
  auto result = life.result();
  result.plan = plan;
  return result;
}

}  // namespace processhub::sim
