// Workers that throw: restarted in place, and given up when they keep throwing, visibly and without harm to
// others.
#include <doctest/doctest.h>

#include <optional>

#include "tests/live/support/process_cluster.hpp"

namespace cluster_crash_test {

using live::eventually;
using live::Json;
using live::ProcessCluster;

namespace {

struct ThreeNodes {
  ProcessCluster cluster{};
  ThreeNodes() {
    cluster.start({"a", "b", "c"});
    REQUIRE(cluster.ask("a", {"start", "x", "--count", "9", "--type", "counter"}).exit == live::done);
    REQUIRE(eventually([&] { return cluster.each_runs_once(9); }));
  }

  /// The one instance of `id` as `node` sees it; null if there is not exactly one.
  Json instance(const std::string& node, const std::string& id) const {
    const auto child = cluster.query(node, {"lookup", id});
    if (!child.is_object() || child.at("instances").size() != 1) return {};
    return child.at("instances")[0];
  }

  /// Every node sees the same instance of `id`, and it is as `good` says.
  template <class Good>
  bool everywhere(const std::string& id, Good good) const {
    const auto first = instance("a", id);
    return !first.is_null() && good(first) && instance("b", id) == first && instance("c", id) == first;
  }
};

}  // namespace

TEST_CASE("a worker that throws restarts in place and every node learns its new reference") {
  ThreeNodes three;
  const auto before = three.instance("a", "x-3");
  REQUIRE(before.is_object());
  CHECK(three.cluster.ask("b", {"call", "x-3", "crash", "{}"}).exit == live::said_no);
  CHECK(eventually([&] {
    return three.everywhere("x-3", [&](const Json& now) {
      return now.at("state") == "running" && now.at("ref") != before.at("ref") &&
             now.at("node") == before.at("node");
    });
  }));
  CHECK(three.cluster.query("c", {"call", "x-3", "get", "{}"}) == Json{{"total", 0}});
}

TEST_CASE("a worker that keeps throwing is failed on every node and nothing else suffers") {
  ThreeNodes three;
  REQUIRE(eventually([&] {
    three.cluster.ask("a", {"cast", "x-3", "crash", "{}"});
    return three.everywhere("x-3", [](const Json& now) { return now.at("state") == "failed"; });
  }));
  for (int i = 0; i < 9; ++i) {
    const auto id = "x-" + std::to_string(i);
    if (i == 3) continue;
    CHECK(three.everywhere(id, [](const Json& now) { return now.at("state") == "running"; }));
    CHECK(three.cluster.query("b", {"call", id, "get", "{}"}) == Json{{"total", 0}});
  }
  CHECK(three.cluster.ask("c", {"restart", "x-3"}).exit == live::done);
  CHECK(eventually(
      [&] { return three.everywhere("x-3", [](const Json& now) { return now.at("state") == "running"; }); }));
}

}  // namespace cluster_crash_test
