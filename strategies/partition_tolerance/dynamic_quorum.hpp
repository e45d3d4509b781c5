// Dynamic quorum: a side that lost too large a share of the cluster within a window of time runs nothing.
#pragma once

#include <memory>

#include "processhub/strategy_catalog.hpp"

namespace processhub {

/// Options: quorum_size (percent that must be left, default 51), threshold_time (30s), quorum_lease (2s),
/// trust_refused (false).
Result<std::unique_ptr<PartitionTolerance>> make_dynamic_quorum(const StrategyOptions& options);

}  // namespace processhub
