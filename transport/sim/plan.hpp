// A plan: the life of one simulated cluster written down. Who does what when, which faults the network has,
// and what is cut between two times of rest. The swarm draws one from a seed while it plays it; played again
// from its text it gives the same history, and it still makes sense when lines are taken out. Lines that
// cannot be carried out any more (their node is not there) do nothing.
//
//   seed 8113                          of all small luck: delays, losses, start times
//   option spec_copies 1               a hub option of every node
//   fault loss 0.02                    see sim_faults.hpp
//   clocks 1000s                       machines' clocks differ by up to this much
//   0us boot a seeds a b               at 0 s of virtual time; verbs: see plan_player.hpp
//   1.5s start a timeout 2s c1 c2//red
//   9s end                             the faults stop here
//   rest split a b | c                 the cluster comes to rest, is cut so, comes to rest, is healed
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "processhub/result.hpp"
#include "transport/sim/scenario_words.hpp"
#include "transport/sim/sim_cluster.hpp"

namespace processhub::sim {

struct PlannedAction {
  Time at{};
  Words words{};  ///< a verb and what it is about
};

struct Plan {
  std::uint64_t seed = 1;
  std::vector<std::pair<std::string, std::string>> options{};
  Faults faults{};
  Duration clocks{};
  std::vector<PlannedAction> actions{};  ///< in order of time
  Duration active{};
  std::vector<Words> rest{};

  /// Throws std::invalid_argument for an option that does not exist.
  ClusterOptions cluster_options(CoreFactory make_core) const;
  std::string str() const;
  /// The error names the line.
  static Result<Plan> parse(const std::string& text);
};

}  // namespace processhub::sim
