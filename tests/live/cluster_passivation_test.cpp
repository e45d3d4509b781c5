// Real nodes whose children are put away while they idle.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "tests/live/support/process_cluster.hpp"
#include "tests/live/support/scrape.hpp"
#include "tests/live/support/states.hpp"

namespace cluster_passivation_test {

using live::eventually;
using live::Names;
using live::ProcessCluster;
using live::States;

namespace {
constexpr std::int64_t kChildren = 1000;
}

TEST_CASE(
    "1,000 children that idle are passivated, move so to a node that joins, and come again with all they "
    "had") {
  ProcessCluster cluster;
  cluster.set_flags({"--migration", "hot_swap", "--metrics", "127.0.0.1:0"}, {});
  cluster.start(Names{"a", "b"});
  States states(cluster, {"a", "b"}, kChildren);
  states.start("counter", [](processhub::ChildSpec& spec, std::int64_t) {
    spec.passivate_after = std::chrono::milliseconds(200);
  });
  const auto asleep_on = [&](const std::string& name) {
    return static_cast<std::int64_t>(
        live::scraped(live::metrics_port(cluster, name), "processhub_workers_passivated"));
  };
  const auto all_sleep = [&] {
    std::int64_t asleep = 0;
    for (const auto& name : cluster.names()) asleep += asleep_on(name);
    return asleep == kChildren;
  };
  std::int64_t sum = 0;
  const auto add_to_all = [&] {
    ++sum;
    CHECK(states.wrong_after([](std::int64_t) { return 1; }, [&](std::int64_t) { return sum; }) == 0);
  };
  add_to_all();
  REQUIRE(eventually(all_sleep));
  add_to_all();
  REQUIRE(eventually(all_sleep));

  cluster.start("c");
  REQUIRE(eventually([&] { return asleep_on("c") > kChildren / 5 && all_sleep(); }));
  REQUIRE(eventually([&] { return cluster.each_runs_once(kChildren) && cluster.digests_agree(); }));
  CHECK(all_sleep());
  add_to_all();
  CHECK(cluster.terminate("a") == 0);
  REQUIRE(eventually([&] { return cluster.each_runs_once(kChildren) && cluster.digests_agree(); }));
  add_to_all();
}

}  // namespace cluster_passivation_test
