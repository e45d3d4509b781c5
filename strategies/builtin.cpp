#include "strategies/builtin.hpp"

#include "strategies/distribution/guided.hpp"
#include "strategies/distribution/load_balancer.hpp"
#include "strategies/distribution/rendezvous.hpp"
#include "strategies/migration/cold_swap.hpp"
#include "strategies/migration/hot_swap.hpp"
#include "strategies/partition_tolerance/divergence.hpp"
#include "strategies/partition_tolerance/dynamic_quorum.hpp"
#include "strategies/partition_tolerance/majority_quorum.hpp"
#include "strategies/partition_tolerance/static_quorum.hpp"
#include "strategies/redundancy/replication.hpp"
#include "strategies/redundancy/singularity.hpp"
#include "strategies/synchronization/gossip.hpp"
#include "strategies/synchronization/pubsub.hpp"

namespace processhub {

// One row per strategy: a new one is added here and nowhere else.
StrategyCatalog builtin_strategies() {
  StrategyCatalog catalog;
  catalog.add_distribution("rendezvous", make_rendezvous);
  catalog.add_distribution("guided", make_guided);
  catalog.add_distribution("load_balancer", make_load_balancer);
  catalog.add_redundancy("replication", make_replication);
  catalog.add_redundancy("singularity", make_singularity);
  catalog.add_migration("cold_swap", make_cold_swap);
  catalog.add_migration("hot_swap", make_hot_swap);
  catalog.add_synchronization("pubsub", make_pubsub);
  catalog.add_synchronization("gossip", make_gossip);
  catalog.add_partition_tolerance("divergence", make_divergence);
  catalog.add_partition_tolerance("dynamic_quorum", make_dynamic_quorum);
  catalog.add_partition_tolerance("majority_quorum", make_majority_quorum);
  catalog.add_partition_tolerance("static_quorum", make_static_quorum);
  return catalog;
}

}  // namespace processhub
