// One seed, one random life of a cluster: a number of nodes, a mix of faults, a schedule of user operations,
// joins, leaves, crashes, pauses and cuts; then the faults stop, and everything must come to rest as the
// invariants demand. What happened is written down as a plan, which can be played again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transport/sim/measures.hpp"
#include "transport/sim/plan.hpp"
#include "transport/sim/sim_cluster.hpp"
#include "transport/sim/trace.hpp"

namespace processhub::sim {

struct SwarmOptions {
  std::uint32_t nodes_min = 3;
  std::uint32_t nodes_max = 7;
  Duration active_min{8'000'000};  ///< virtual time with faults and operations
  Duration active_max{20'000'000};
  Duration quiet_limit{60'000'000};                           ///< virtual time to come to rest
  Duration quiet_steady{3'000'000};                           ///< and to stay there
  CoreFactory make_core{};                                    ///< default: the product
  std::vector<std::pair<std::string, std::string>> faults{};  ///< by name, instead of what the seed draws
};

struct SwarmResult {
  std::uint64_t seed = 0;
  std::optional<Violation> violation{};
  std::string setup{};  ///< nodes and faults, for people
  Plan plan{};          ///< what was played
  Duration virtual_time{};
  Duration settled_after{};  ///< from the last fault to rest
  std::uint64_t tasks = 0;
  std::size_t operations = 0;
  std::size_t activations = 0;
  NetworkCounters network{};
  RunMeasures measures{};
};

/// Plays one seed; `sink` gets the trace if given. Deterministic: the same seed and options give the same
/// trace. Throws std::invalid_argument for a fault option that does not exist.
SwarmResult run_swarm(std::uint64_t seed, const SwarmOptions& options, const Trace::Sink& sink = {});

/// Plays what is written down. Throws std::invalid_argument for words without sense.
SwarmResult run_plan(const Plan& plan, const SwarmOptions& options, const Trace::Sink& sink = {});

}  // namespace processhub::sim
