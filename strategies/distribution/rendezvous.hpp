// Rendezvous (highest-random-weight) distribution: every node scores every child from the hash of both names,
// and the best scores own the child. A join takes about weight/total of the children, a leave moves only
// those of the leaver. Integer arithmetic and one correctly rounded division: the same owners on every
// machine and libm.
#pragma once

#include <memory>

#include "processhub/strategy_catalog.hpp"

namespace processhub {

/// Options: none.
Result<std::unique_ptr<Distribution>> make_rendezvous(const StrategyOptions& options);

}  // namespace processhub
