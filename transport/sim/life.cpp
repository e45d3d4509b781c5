#include "transport/sim/life.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "transport/sim/message_checks.hpp"
#include "transport/sim/planned_checks.hpp"

namespace processhub::sim {

Life::Life(const Plan& plan, const SwarmOptions& options, const Trace::Sink& sink)
    : limit_(options.quiet_limit),
      steady_(options.quiet_steady),
      cluster_(plan.cluster_options(options.make_core)),
      trace_(sink ? std::make_optional<Trace>(cluster_, sink) : std::nullopt),
      safety_(cluster_),
      quiet_(cluster_, safety_),
      measures_(cluster_),
      player_(cluster_) {}

/// Several actions of one moment happen before anything that is due then.
void Life::run_to(Time at) {
  if (at > now()) cluster_.run_for(at - now());
}

void Life::act(Time at, Words words) {
  run_to(at);
  if (!unbroken()) return;
  player_.act(std::move(words));
  safety_.check_overdue();
  check_terminations();
}

/// A node that leaves, ends or stops must not do so by mistake: in a swarm every name has one life at a time.
void Life::check_terminations() {
  for (const auto* node : cluster_.nodes()) {
    if (node->life() != NodeLife::terminated) continue;
    return cluster_.report("I1",
                           fmt::format("{} ended itself: {}", node->id().str(), node->why_terminated()));
  }
}

void Life::rest(const Words& words) {
  player_.act(words);
  if (settle()) player_.stop_faults();
}

void Life::report(const std::optional<Violation>& found) {
  if (found) cluster_.report(found->invariant, found->what);
}

void Life::end(const Plan& played) {
  if (!unbroken() || !quiet_.settle(limit_, steady_)) return;
  check_terminations();
  report(quiet_.lost_fact());
  report(probe_at_rest(cluster_));
  report(message_problem(cluster_));
  if (only_planned(played) && measures_.result().crashes == 0) report(planned_problem(cluster_));
}

SwarmResult Life::result() const {
  SwarmResult result;
  if (!unbroken()) result.violation = cluster_.violations().front();
  result.virtual_time = cluster_.now();
  result.settled_after = quiet_.settled_after();
  result.tasks = cluster_.scheduler().executed();
  result.operations = cluster_.operations().size();
  result.activations = cluster_.workers().activations.size();
  result.network = cluster_.network().counters();
  result.measures = measures_.result();
  return result;
}

}  // namespace processhub::sim
