// Real nodes and children that keep their state when nodes come and go.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/live/support/process_cluster.hpp"
#include "tests/live/support/states.hpp"

namespace cluster_hot_swap_test {

using live::eventually;
using live::Names;
using live::ProcessCluster;
using live::States;

namespace {

constexpr std::int64_t kChildren = 1000;

/// Child i begins with i, and every round adds one to each.
struct Rounds {
  States& states;
  std::int64_t made = 0;

  void first() {
    const auto number = [](std::int64_t i) { return i; };
    CHECK(states.wrong_after(number, number) == 0);
  }
  void next() {
    ++made;
    CHECK(states.wrong_after([](std::int64_t) { return 1; }, [&](std::int64_t i) { return i + made; }) == 0);
  }
};

void require_whole(const ProcessCluster& cluster) {
  REQUIRE(eventually([&] { return cluster.each_runs_once(kChildren) && cluster.digests_agree(); }));
}

/// Every node has more than so many, and nobody asks for any: a cluster may look whole before it begins to
/// move.
void require_shares(const ProcessCluster& cluster, std::size_t children) {
  const auto done = [&](const std::string& name) {
    const auto placed = cluster.placement(name);
    const auto own = placed.find(name);
    return own != placed.end() && own->second > children && cluster.query(name, {"moves"}).empty();
  };
  const auto names = cluster.names();
  REQUIRE(eventually([&] { return std::all_of(names.begin(), names.end(), done); }));
  require_whole(cluster);
}

}  // namespace

TEST_CASE(
    "1,000 states are handed over to a node that joins and by one that leaves, and no call fails meanwhile") {
  ProcessCluster cluster;
  cluster.set_flags({"--migration", "hot_swap"}, {});
  cluster.start(Names{"a", "b"});
  States states(cluster, {"a", "b"}, kChildren);
  Rounds rounds{states};
  states.start("counter");
  rounds.first();

  cluster.start("c");
  do {
    rounds.next();
  } while (!cluster.each_runs_once(kChildren));
  require_whole(cluster);
  require_shares(cluster, kChildren / 5);
  rounds.next();

  CHECK(cluster.terminate("b") == 0);
  require_whole(cluster);
  CHECK_FALSE(cluster.placement("a").contains("b"));
  rounds.next();
}

TEST_CASE("1,000 states of one node are handed over to five that join, and none is lost") {
  ProcessCluster cluster;
  cluster.set_flags({"--migration", "hot_swap"}, {});
  cluster.start("a");
  States states(cluster, {"a"}, kChildren);
  Rounds rounds{states};
  states.start("counter");
  rounds.first();
  for (const auto* name : {"b", "c", "d", "e", "f"}) {
    cluster.start(name);
    rounds.next();
  }
  require_whole(cluster);
  require_shares(cluster, 100);
  rounds.next();
}

TEST_CASE("a node with 1,000 states is shut down gracefully: its heir has every state, and all metadata") {
  ProcessCluster cluster;
  // Children stay where they are when the second node comes, so that the first one has them all.
  cluster.set_flags({"--migration", "hot_swap", "--distribution", "load_balancer"}, {});
  cluster.start("a");
  States states(cluster, {"a"}, kChildren);
  Rounds rounds{states};
  states.start("counter", [](processhub::ChildSpec& spec, std::int64_t i) {
    spec.metadata["number"] = std::to_string(i);
    spec.metadata["colour"] = "green";
  });
  rounds.first();
  REQUIRE(cluster.ask("a", {"metadata", "c7", "number=7", "colour=red"}).exit == live::done);
  cluster.start("b");
  require_whole(cluster);
  CHECK(cluster.placement("b") == std::map<std::string, std::size_t>{{"a", kChildren}});

  CHECK(cluster.terminate("a") == 0);
  require_whole(cluster);
  States heir(cluster, {"b"}, kChildren);
  Rounds{heir}.next();
  std::size_t kept = 0;
  for (std::int64_t i = 0; i < kChildren; ++i) {
    const auto metadata = cluster.query("b", {"lookup", States::name_of(i)}).at("metadata");
    kept += metadata == live::Json{{"number", std::to_string(i)}, {"colour", "green"}} ? 1 : 0;
  }
  CHECK(kept == static_cast<std::size_t>(kChildren) - 1);  // and one that was changed
  CHECK(cluster.query("b", {"lookup", "c7"}).at("metadata").at("colour") == "red");
}

}  // namespace cluster_hot_swap_test
