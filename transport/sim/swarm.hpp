// One seed, one random life of a cluster: a number of nodes, a mix of faults, a schedule of user operations,
// joins, leaves, crashes, pauses and cuts; then the faults stop, and everything must come to rest as the
// invariants demand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "transport/sim/sim_cluster.hpp"
#include "transport/sim/trace.hpp"

namespace processhub::sim {

struct SwarmOptions {
  std::uint32_t nodes_min = 3;
  std::uint32_t nodes_max = 7;
  Duration active_min{8'000'000};  ///< virtual time with faults and operations
  Duration active_max{20'000'000};
  Duration quiet_limit{60'000'000};  ///< virtual time to come to rest
  Duration quiet_steady{3'000'000};  ///< and to stay there
  CoreFactory make_core{};           ///< default: the product
};

struct SwarmResult {
  std::uint64_t seed = 0;
  std::optional<Violation> violation{};
  std::string setup{};  ///< nodes and faults, for people
  Duration virtual_time{};
  Duration settled_after{};  ///< from the last fault to rest
  std::uint64_t tasks = 0;
  std::size_t operations = 0;
  std::size_t activations = 0;
  NetworkCounters network{};
};

/// Plays one seed; `sink` gets the trace if given. Deterministic: the same seed and options give the same
/// trace.
SwarmResult run_swarm(std::uint64_t seed, const SwarmOptions& options, const Trace::Sink& sink = {});

}  // namespace processhub::sim
