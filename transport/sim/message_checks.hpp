// What numbered calls and casts show: none is handled twice, the answer of a call says the truth about it
// (I6), and those of one sender to one worker keep their order.
#pragma once

#include <optional>

#include "transport/sim/sim_cluster.hpp"

namespace processhub::sim {

/// Looks at everything sent and handled so far.
std::optional<Violation> message_problem(const SimCluster& cluster);

}  // namespace processhub::sim
