#include "transport/sim/swarm.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "transport/sim/message_checks.hpp"
#include "transport/sim/quiet_checks.hpp"
#include "transport/sim/swarm_faults.hpp"
#include "transport/sim/swarm_users.hpp"

namespace processhub::sim {
namespace {

HubConfig draw_config(Rng& rng) {
  HubConfig config;
  config.hub_id = "swarm";
  // Short, so that what they guard happens within one run.
  config.drain_timeout = std::chrono::milliseconds(rng.between(std::int64_t{500}, std::int64_t{5'000}));
  config.deadlock_recovery_timeout = std::chrono::milliseconds(8'000);
  config.purge_interval = std::chrono::milliseconds(rng.chance(0.5) ? 3'000 : 15'000);
  config.spec_copies = static_cast<std::uint32_t>(rng.below(4));
  if (rng.chance(0.2)) config.max_concurrent_moves = 3;
  return config;
}

/// A node that leaves, ends or stops must not do so by mistake: in a swarm every name has one life at a time.
void check_terminations(SimCluster& cluster) {
  for (const auto* node : cluster.nodes()) {
    if (node->life() == NodeLife::terminated) {
      return cluster.report("I1",
                            fmt::format("{} ended itself: {}", node->id().str(), node->why_terminated()));
    }
  }
}

void play(SimCluster& cluster, SwarmFaults& faults, SwarmUsers& users, SafetyChecks& safety, Duration active,
          Rng& rng) {
  const auto end = cluster.now() + active;
  while (cluster.now() < end && cluster.violations().empty()) {
    cluster.run_for(rng.between(Duration(1'000), Duration(300'000)));
    if (rng.chance(0.75)) users.act();
    if (rng.chance(0.12)) faults.act();
    safety.check_overdue();
    check_terminations(cluster);
  }
}

enum class Rest : std::uint8_t { whole, halves, mesh };

Rest draw_rest(Rng& rng) {
  if (rng.chance(0.3)) return Rest::halves;
  return rng.chance(0.3) ? Rest::mesh : Rest::whole;
}

void come_to_rest(SimCluster& cluster, SwarmFaults& faults, QuietChecks& quiet, const SwarmOptions& options,
                  Rest how) {
  faults.stop();
  if (how != Rest::whole) {
    // All have met; now two halves must come to rest each for itself, or a mesh with a hole as one; then all.
    if (!quiet.settle(options.quiet_limit)) return;
    if (how == Rest::halves) {
      faults.split();
    } else {
      faults.cut_in_mesh();
    }
    if (!quiet.settle(options.quiet_limit)) return;
    faults.stop();
  }
  if (!quiet.settle(options.quiet_limit, options.quiet_steady)) return;
  check_terminations(cluster);
  if (auto lost = quiet.lost_fact()) cluster.report(lost->invariant, lost->what);
  if (auto wrong = message_problem(cluster)) cluster.report(wrong->invariant, wrong->what);
}

}  // namespace

SwarmResult run_swarm(std::uint64_t seed, const SwarmOptions& options, const Trace::Sink& sink) {
  Rng rng(seed * 0x9E3779B97F4A7C15ULL + 0xD1B54A32D192ED03ULL);
  ClusterOptions setup;
  setup.seed = rng.next();
  setup.make_core = options.make_core;
  setup.config = draw_config(rng);
  setup.faults = draw_faults(rng);
  setup.clock_spread = rng.chance(0.5) ? Duration(0) : Duration(1'000'000'000);
  const auto nodes = static_cast<std::uint32_t>(rng.between(options.nodes_min, options.nodes_max));
  const auto active = rng.between(options.active_min, options.active_max);

  SimCluster cluster(setup);
  std::optional<Trace> trace;
  if (sink) trace.emplace(cluster, sink);
  SafetyChecks safety(cluster);
  QuietChecks quiet(cluster, safety);
  SwarmFaults faults(cluster, rng.fork(), nodes);
  SwarmUsers users(cluster, rng.fork());
  SwarmResult result;
  result.seed = seed;
  result.setup = fmt::format("{} nodes, {} active, faults [{}], actions [{}]", nodes, format_duration(active),
                             cluster.faults().str(), faults.str());
  if (sink) sink(result.setup);

  faults.boot();
  play(cluster, faults, users, safety, active, rng);
  if (cluster.violations().empty()) come_to_rest(cluster, faults, quiet, options, draw_rest(rng));

  if (!cluster.violations().empty()) result.violation = cluster.violations().front();
  result.virtual_time = cluster.now();
  result.settled_after = quiet.settled_after();
  result.tasks = cluster.scheduler().executed();
  result.operations = cluster.operations().size();
  result.activations = cluster.workers().activations.size();
  result.network = cluster.network().counters();
  return result;
}

}  // namespace processhub::sim
