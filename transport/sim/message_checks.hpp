// What numbered calls and casts show: none is handled twice, and the answer of a call says the truth about it
// (I6).
#pragma once

#include <optional>

#include "transport/sim/sim_cluster.hpp"

namespace processhub::sim {

/// Looks at everything sent and handled so far.
std::optional<Violation> message_problem(const SimCluster& cluster);

}  // namespace processhub::sim
