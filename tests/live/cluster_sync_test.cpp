// Six real nodes with 1,000 children that tell each other everything, by publications and by gossip; and one
// that misses all of it.
#include <doctest/doctest.h>

#include "tests/live/support/fault_checks.hpp"
#include "tests/live/support/process_cluster.hpp"
#include "tests/live/support/relay_lab.hpp"

namespace cluster_sync_test {

using live::eventually;
using live::Names;
using live::ProcessCluster;

namespace {

constexpr std::size_t kChildren = 1000;
const Names kSix = {"a", "b", "c", "d", "e", "f"};

/// Children are started on every node at once, and all of them are stopped on others.
void start_and_stop_everywhere(const std::string& synchronization) {
  ProcessCluster cluster;
  cluster.set_flags({"--synchronization", synchronization}, {});
  cluster.start(kSix);
  std::size_t started = 0;
  for (const auto& node : kSix) {
    const auto count = node == "f" ? kChildren - started : kChildren / kSix.size();
    live::start_counters(cluster, node, "x-" + node, count);
    started += count;
  }
  live::require_quiet(cluster, kChildren);
  for (const auto& node : kSix) CHECK_MESSAGE(cluster.placement("c").at(node) > 100, node);

  // Each node stops what another one started.
  for (std::size_t n = 0; n < kSix.size(); ++n) {
    const auto prefix = "x-" + kSix[(n + 1) % kSix.size()];
    REQUIRE(cluster.ask(kSix[n], {"stop", "--prefix", prefix}).exit == live::done);
  }
  live::require_quiet(cluster, 0);
}

}  // namespace

TEST_CASE("six nodes with pubsub: 1,000 children are started and stopped on every node") {
  start_and_stop_everywhere("pubsub");
}

TEST_CASE("six nodes with gossip: 1,000 children are started and stopped on every node") {
  start_and_stop_everywhere("gossip");
}

TEST_CASE(
    "a node that missed every publication about 1,000 children has the same registry an interval later") {
  live::RelayLab lab(live::RelayLab::Publications::apart);
  auto& cluster = lab.cluster();
  cluster.set_flags({"--distribution", "guided"}, {});
  cluster.start(kSix);
  // None of them is its own: who owns a child has to act before a request is answered.
  const auto start_on = [&](const std::string& node, const std::string& prefix) {
    const auto answer = cluster.ask(
        "a", {"start", prefix, "--count", std::to_string(kChildren), "--type", "counter", "--nodes", node});
    REQUIRE_MESSAGE(answer.exit == live::done, answer.err);
  };
  start_on("b", "old");
  live::require_quiet(cluster, kChildren);

  const Names others = {"a", "b", "c", "d", "e"};
  lab.deafen("f", others);
  REQUIRE(cluster.ask("a", {"stop", "--prefix", "old-1"}).exit == live::done);
  start_on("c", "new");
  const auto left = cluster.query("a", {"list"}).size();
  CHECK(left == 2 * kChildren - 111);
  CHECK(cluster.query("f", {"list"}).size() == kChildren);  // it missed everything
  CHECK(cluster.ask("f", {"lookup", "new-0"}).exit == live::said_no);
  lab.let_hear("f", others);
  live::require_quiet(cluster, left);
}

}  // namespace cluster_sync_test
