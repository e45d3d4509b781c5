// One large simulated cluster without faults of the network: it boots, starts children, is left alone, takes
// a node in, loses one, is cut in half and healed. Tells what each phase took.
#pragma once

#include <cstdint>
#include <string>

namespace processhub::hub_sim {

struct ScaleOptions {
  std::uint32_t nodes = 100;
  std::uint32_t children = 10'000;
  std::string synchronization = "pubsub";
  std::uint64_t seed = 1;
};

/// Prints a row for each phase as it ends. False if the cluster did not come to rest in some phase.
bool run_scale(const ScaleOptions& options);

}  // namespace processhub::hub_sim
