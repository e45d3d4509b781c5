// 100,000 children at once: the node that starts them goes on talking to its peers.
#include <doctest/doctest.h>

#include "tests/live/support/process_cluster.hpp"

namespace cluster_scale_test {

using live::eventually;
using live::ProcessCluster;

TEST_CASE("100,000 children start on one node in one call while its heartbeats keep flowing") {
  ProcessCluster cluster;
  cluster.start("a", {"--weight", "1"});
  cluster.start("watcher", {"--weight", "0"});
  REQUIRE(eventually([&] { return cluster.all_see({"a", "watcher"}); }));
  const auto incarnation = cluster.query("watcher", {"nodes"})[0].at("incarnation");

  const auto answer =
      cluster.ask("a", {"start", "x", "--count", "100000", "--type", "counter", "--timeout", "60s"});
  CHECK_MESSAGE(answer.exit == live::done, answer.err);
  MESSAGE("100,000 children started, ", answer.took.count(), " ms as hubctl sees it");

  const auto status = cluster.query("a", {"status"});
  CHECK(status.at("children_local") == 100'000);
  CHECK(eventually([&] { return cluster.query("watcher", {"status"}).at("children_total") == 100'000; }));
  CHECK(eventually([&] { return cluster.digests_agree(); }));
  MESSAGE("status of the node: ", status.dump());

  // A node that went silent would have been suspected, declared down and met again.
  CHECK(cluster.all_see({"a", "watcher"}));
  CHECK(cluster.query("watcher", {"nodes"})[0].at("incarnation") == incarnation);
  CHECK(cluster.log("watcher").find("suspect") == std::string::npos);
  CHECK(cluster.query("a", {"call", "x-99999", "get", "{}"}) == live::Json{{"total", 0}});
}

}  // namespace cluster_scale_test
