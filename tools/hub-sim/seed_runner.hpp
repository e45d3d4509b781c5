// Plays many seeds on all cores and reports those that fail.
#pragma once

#include <cstdint>
#include <string>

#include "transport/sim/swarm.hpp"

namespace processhub::hub_sim {

struct RunnerOptions {
  std::uint64_t first = 1;
  std::uint64_t count = 1'000;
  unsigned jobs = 0;           ///< threads; 0: one per core
  bool keep_going = false;     ///< play all seeds even if some fail
  std::string replay_flags{};  ///< what --replay needs beside the seed to play the same
};

/// True if every seed was clean. Progress goes to stderr, failures to stdout.
bool run_seeds(const sim::SwarmOptions& swarm, const RunnerOptions& options);

/// True if the seed is clean. With `trace` every line goes to stdout, else the last ones if it fails.
bool replay(std::uint64_t seed, const sim::SwarmOptions& swarm, const RunnerOptions& options, bool trace);

}  // namespace processhub::hub_sim
