// Static quorum: a side with at least so many nodes runs the children, any other side nothing.
#pragma once

#include <memory>

#include "processhub/strategy_catalog.hpp"

namespace processhub {

/// Options: quorum_size (number, must be given), startup_confirm (default true), quorum_lease (2s),
/// trust_refused (false).
Result<std::unique_ptr<PartitionTolerance>> make_static_quorum(const StrategyOptions& options);

}  // namespace processhub
