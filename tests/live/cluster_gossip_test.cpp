// Real nodes with synchronization = gossip: they meet, take over, take in, and notice a silent member, though
// nobody publishes that it lives.
#include <doctest/doctest.h>

#include "tests/live/support/fault_checks.hpp"
#include "tests/live/support/process_cluster.hpp"

namespace cluster_gossip_test {

using live::eventually;
using live::ProcessCluster;

TEST_CASE("five nodes that gossip: a kill, a return and a pause end with each child once everywhere") {
  ProcessCluster cluster;
  cluster.set_flags({"--synchronization", "gossip"}, {});
  cluster.start(std::vector<std::string>{"a", "b", "c", "d", "e"});
  live::start_counters(cluster, "a", "x", 200);
  live::require_quiet(cluster, 200);

  cluster.kill("b");
  live::require_quiet(cluster, {"a", "c", "d", "e"}, 200);
  cluster.start("b");
  live::require_quiet(cluster, 200);

  cluster.pause("d");
  live::require_quiet(cluster, {"a", "b", "c", "e"}, 200);
  cluster.resume("d");
  live::require_quiet(cluster, 200);
  CHECK(cluster.terminate("a") == 0);
  live::require_quiet(cluster, {"b", "c", "d", "e"}, 200);
}

TEST_CASE("a node that does not gossip is refused by those that do, and says why") {
  ProcessCluster cluster;
  cluster.set_flags({"--synchronization", "gossip"}, {});
  cluster.start(std::vector<std::string>{"a", "b"});
  const auto refused =
      live::run_program({live::program_path("hubd"), "--name", "other", "--hub.id", cluster.hub_id(),
                         "--listen", "tcp://127.0.0.1:0", "--seed", cluster.endpoint("a")});
  CHECK(refused.exit > 0);
  CHECK_MESSAGE(
      refused.err.find("cluster-wide options differ: synchronization is 'gossip' on a/") != std::string::npos,
      refused.err);
  CHECK(cluster.all_see({"a", "b"}));
}

}  // namespace cluster_gossip_test
