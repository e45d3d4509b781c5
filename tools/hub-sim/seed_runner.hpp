// Plays seeds and plans and tells people what came of it.
#pragma once

#include <cstdint>
#include <string>

#include "transport/sim/swarm.hpp"

namespace processhub::hub_sim {

struct RunnerOptions {
  std::uint64_t first = 1;
  std::uint64_t count = 1'000;
  double minutes = 0;          ///< of real time; 0: no limit
  unsigned jobs = 0;           ///< threads; 0: one per core
  bool keep_going = false;     ///< play all seeds even if some fail
  std::string trace{};         ///< empty: none; "-": to stdout; else a file
  std::string write_plan{};    ///< a file, empty: none
  std::string replay_flags{};  ///< what --replay needs beside the seed to play the same
};

// All of these are true if everything was clean. Progress goes to stderr, the rest to stdout.

/// On all cores. A failing seed is told with the end of its trace and the command that replays it.
bool run_seeds(const sim::SwarmOptions& swarm, const RunnerOptions& options);
bool replay(std::uint64_t seed, const sim::SwarmOptions& swarm, const RunnerOptions& options);
bool play(const sim::Plan& plan, const std::string& name, const sim::SwarmOptions& swarm,
          const RunnerOptions& options);
/// Prints the smallest plan that breaks what the seed breaks; true if it breaks nothing.
bool shrink_seed(std::uint64_t seed, const sim::SwarmOptions& swarm, const RunnerOptions& options);
bool shrink_plan(const sim::Plan& plan, const sim::SwarmOptions& swarm, const RunnerOptions& options);

}  // namespace processhub::hub_sim
