// A joining node needs a snapshot that is far larger than what a session keeps unacknowledged: the rest has
// to wait for room. A part that was left out would look like removals, and the joining would delete children
// everywhere.
#include <doctest/doctest.h>

#include "transport/sim/quiet_checks.hpp"
#include "transport/sim/safety_checks.hpp"
#include "transport/sim/sim_cluster.hpp"

namespace large_snapshot_test {

using namespace processhub;
using namespace processhub::sim;
using namespace std::chrono_literals;

TEST_CASE("a snapshot larger than the ring of a session arrives whole") {
  constexpr std::size_t kChildren = 1'500;
  ClusterOptions options;
  options.seed = 11;
  options.config.hub_id = "large";
  options.config.link_ring_bytes = 1024 * 1024;
  SimCluster cluster(options);
  SafetyChecks safety(cluster);
  QuietChecks quiet(cluster, safety);
  cluster.add_node("a", {"a"});
  REQUIRE(quiet.settle(20s));
  std::vector<ChildSpec> specs(kChildren);
  for (std::size_t i = 0; i < kChildren; ++i) {
    specs[i].id = "x" + std::to_string(i);
    specs[i].type = "counter";
    specs[i].metadata["long"] = std::string(1'500, 'm');
  }
  const auto& started = cluster.start("a", std::move(specs));
  REQUIRE(cluster.run_until([&] { return started.done(); }, 20s));
  REQUIRE(started.started.status == CallStatus::ok);

  cluster.add_node("b", {"a"});
  REQUIRE(quiet.settle(60s));
  for (const auto* node : cluster.running_nodes()) CHECK(node->registry().size() == kChildren);
  CHECK_FALSE(quiet.lost_fact());
}

}  // namespace large_snapshot_test
