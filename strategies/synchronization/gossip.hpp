// Gossip: the quiet load of a node does not depend on the size of the cluster. Changes are published; digests
// go to a few other nodes at a time, and who differs exchanges what is missing (push and pull).
#pragma once

#include <memory>

#include "processhub/strategy_catalog.hpp"

namespace processhub {

/// Options: recipients (3), the nodes that are shown this node's digests in each heartbeat interval, 1 to
/// 100.
Result<std::unique_ptr<Synchronization>> make_gossip(const StrategyOptions& options);

}  // namespace processhub
