// One simulated cluster with all its checkers, as swarm and plans play it: actions, the end of the faults,
// rest.
#pragma once

#include <optional>

#include "transport/sim/measures.hpp"
#include "transport/sim/plan_player.hpp"
#include "transport/sim/quiet_checks.hpp"
#include "transport/sim/safety_checks.hpp"
#include "transport/sim/swarm.hpp"

namespace processhub::sim {

class Life {
 public:
  Life(const Plan& plan, const SwarmOptions& options, const Trace::Sink& sink);

  SimCluster& cluster() { return cluster_; }
  Time now() const { return cluster_.now(); }
  bool unbroken() const { return cluster_.violations().empty(); }

  void run_to(Time at);
  /// At that moment; then looks whether anything is broken.
  void act(Time at, Words words);
  void stop_faults() { player_.stop_faults(); }
  /// Lets time pass until all is as it should be; false: it never was.
  bool settle() { return unbroken() && quiet_.settle(limit_); }
  /// An action on a cluster at rest: it comes to rest again, then the faults stop.
  void rest(const Words& words);
  /// The last rest, and what can only be judged then; `played` is the whole plan.
  void end(const Plan& played);
  SwarmResult result() const;

 private:
  void check_terminations();
  void report(const std::optional<Violation>& found);

  Duration limit_;
  Duration steady_;
  SimCluster cluster_;
  std::optional<Trace> trace_{};
  SafetyChecks safety_;
  QuietChecks quiet_;
  Measures measures_;
  PlanPlayer player_;
};

}  // namespace processhub::sim
