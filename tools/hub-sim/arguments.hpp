// The command line of hub-sim.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/hub-sim/scale_run.hpp"
#include "tools/hub-sim/seed_runner.hpp"
#include "transport/sim/swarm.hpp"

namespace processhub::hub_sim {

struct Arguments {
  sim::SwarmOptions swarm{};
  RunnerOptions runner{};
  std::optional<std::uint64_t> replay{};
  std::optional<std::uint64_t> shrink{};
  std::string plan{};         ///< a file to play
  std::string shrink_plan{};  ///< a file to make smaller
  std::optional<ScaleOptions> scale{};
  std::string text{};  ///< of --help or --list-faults: printed instead of anything else
};

/// Throws std::exception with one clear line.
Arguments read_arguments(int argc, const char* const* argv);

}  // namespace processhub::hub_sim
