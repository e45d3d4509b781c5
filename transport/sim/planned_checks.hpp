// I7, for runs in which nothing goes wrong: nodes join, leave and come back, and users see nothing of it.
#pragma once

#include <optional>

#include "transport/sim/plan.hpp"

namespace processhub::sim {

/// The plan has no faults, and its actions are planned changes and what users do.
bool only_planned(const Plan& plan);

/// A call that failed, a cast that was lost or a state that was not handed over, though its child was there
/// all the time.
std::optional<Violation> planned_problem(const SimCluster& cluster);

/// Makes a few numbered calls and casts from every node of a cluster at rest and waits for them: each must be
/// handled once, and every call answered. What went wrong, if anything.
std::optional<Violation> probe_at_rest(SimCluster& cluster);

}  // namespace processhub::sim
