// Real nodes that die, pause and come back. What must hold: every survivor lists every child, each running
// once.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/live/support/process_cluster.hpp"

namespace cluster_failover_test {

using live::eventually;
using live::ProcessCluster;

namespace {

constexpr std::size_t kChildren = 1000;
const std::vector<std::string> kFive = {"a", "b", "c", "d", "e"};

struct FiveNodes {
  ProcessCluster cluster{};
  FiveNodes() {
    cluster.start(kFive);
    auto answer = cluster.ask("a", {"start", "x", "--count", std::to_string(kChildren), "--type", "counter"});
    REQUIRE_MESSAGE(answer.exit == live::done, answer.out.substr(0, 1000), answer.err);
    REQUIRE(eventually([&] { return cluster.each_runs_once(kChildren); }));
  }
};

/// No node has less than half or more than twice of what it would have if all had the same.
bool balanced(const ProcessCluster& cluster) {
  const auto names = cluster.names();
  const auto placement = cluster.placement(names.front());
  const auto fair = kChildren / names.size();
  return placement.size() == names.size() &&
         std::all_of(placement.begin(), placement.end(),
                     [&](const auto& row) { return row.second > fair / 2 && row.second < fair * 2; });
}

void report(const std::string& what, live::Clock::time_point since) {
  const auto took = std::chrono::duration_cast<live::Millis>(live::Clock::now() - since).count();
  MESSAGE(what, " after ", took, " ms");
}

}  // namespace

TEST_CASE(
    "five nodes with 1,000 children: kill -9 of a node leaves every child running once on the survivors") {
  FiveNodes five;
  auto& cluster = five.cluster;
  CHECK(balanced(cluster));
  // A seed of the others and one that nobody named: it must not matter which node dies.
  for (const std::string victim : {"a", "e"}) {
    cluster.kill(victim);
    const auto killed = live::Clock::now();
    REQUIRE(eventually([&] { return cluster.each_runs_once(kChildren); }));
    report("all children run once again", killed);

    cluster.start(victim);
    const auto returned = live::Clock::now();
    REQUIRE(eventually([&] { return cluster.all_see(kFive); }));
    report("all nodes see it", returned);
    REQUIRE(eventually([&] { return cluster.each_runs_once(kChildren) && balanced(cluster); }));
    report("balanced again", returned);
    REQUIRE(eventually([&] { return cluster.digests_agree(); }));
    report("digests agree", returned);
  }
}

TEST_CASE(
    "five nodes with 1,000 children: a node that is stopped for 10 s is replaced, and rejoins without stale "
    "copies") {
  FiveNodes five;
  auto& cluster = five.cluster;
  const auto stopped = live::Clock::now();
  cluster.pause("c");
  // The paused node answers nobody, so only the others are asked.
  auto others_took_over = [&] {
    for (const std::string name : {"a", "b", "d", "e"}) {
      const auto list = cluster.query(name, {"list"});
      const bool good =
          list.size() == kChildren && std::all_of(list.begin(), list.end(), [](const live::Json& child) {
            const auto& instances = child.at("instances");
            return instances.size() == 1 && instances[0].at("state") == "running" &&
                   instances[0].at("node") != "c";
          });
      if (!good) return false;
    }
    return true;
  };
  REQUIRE(eventually(others_took_over));
  report("the others run its children", stopped);

  // Resumed no earlier than 10 s after the stop, as a swapped or suspended machine would be.
  eventually([&] { return live::Clock::now() - stopped > std::chrono::seconds(10); });
  cluster.resume("c");
  const auto resumed = live::Clock::now();
  REQUIRE(eventually([&] { return cluster.all_see(kFive) && cluster.each_runs_once(kChildren); }));
  REQUIRE(eventually([&] { return cluster.digests_agree(); }));
  report("every child runs once again, the woken node included", resumed);

  // What the woken node itself runs is what the others say it runs.
  const auto local = cluster.query("c", {"list", "--local"});
  CHECK(local.size() == cluster.placement("a")["c"]);
}

TEST_CASE("a node that is told to leave hands its children over and exits with 0") {
  ProcessCluster cluster;
  cluster.start({"a", "b", "c"});
  REQUIRE(cluster.ask("a", {"start", "x", "--count", "60", "--type", "counter", "--args", R"({"start": 5})"})
              .exit == live::done);
  REQUIRE(eventually([&] { return cluster.each_runs_once(60); }));
  CHECK(cluster.terminate("b") == 0);
  CHECK(eventually([&] { return cluster.all_see({"a", "c"}) && cluster.each_runs_once(60); }));
  for (const std::string id : {"x-0", "x-31", "x-59"}) {
    CHECK(cluster.query("c", {"call", id, "get", "{}"}) == live::Json{{"total", 5}});
  }
}

TEST_CASE("every node forwards calls to a child wherever it runs") {
  ProcessCluster cluster;
  cluster.start({"a", "b", "c"});
  REQUIRE(cluster.ask("b", {"start", "c", "--type", "counter"}).exit == live::done);
  REQUIRE(eventually([&] { return cluster.each_runs_once(1); }));
  const auto runs_on = cluster.query("a", {"lookup", "c"}).at("instances")[0].at("node");
  int total = 0;
  for (const std::string name : {"a", "b", "c"}) {
    CHECK(cluster.query(name, {"call", "c", "add", R"({"by": 1})"}) == live::Json{{"total", ++total}});
    CHECK(cluster.query(name, {"call", "c", "where", "{}"}).at("node") == runs_on);
  }
}

}  // namespace cluster_failover_test
