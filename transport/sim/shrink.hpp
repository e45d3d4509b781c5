// Makes a plan that breaks an invariant as small as it can: fewer actions, nodes, children and faults, as
// long as the same invariant breaks. Deterministic: the same plan shrinks to the same plan.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "transport/sim/swarm.hpp"

namespace processhub::sim {

struct Shrunk {
  Plan plan{};
  Violation violation{};
  std::size_t runs = 0;
};

/// `plan` must break `invariant`. At most about `most_runs` clusters are played; `progress` hears of each
/// step that made it smaller.
Shrunk shrink(Plan plan, const std::string& invariant, const SwarmOptions& options, std::size_t most_runs,
              const std::function<void(const Plan&, std::size_t runs)>& progress = {});

}  // namespace processhub::sim
