// Workers that throw: restarted in place, and given up when they keep throwing, visibly and without harm to
// others.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/live/support/fault_checks.hpp"
#include "tests/live/support/process_cluster.hpp"

namespace cluster_crash_test {

using live::eventually;
using live::Json;
using live::ProcessCluster;

namespace {

constexpr std::size_t kChildren = 1000;

struct SixNodes {
  ProcessCluster cluster{};
  SixNodes() {
    cluster.start({"a", "b", "c", "d", "e", "f"});
    live::start_counters(cluster, "a", "x", kChildren);
    live::require_quiet(cluster, kChildren);
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
    if (first.is_null() || !good(first)) return false;
    const std::vector<std::string> others{"b", "c", "d", "e", "f"};
    return std::all_of(others.begin(), others.end(),
                       [&](const std::string& node) { return instance(node, id) == first; });
  }
};

}  // namespace

TEST_CASE("a worker that throws restarts in place and every node learns its new reference") {
  SixNodes six;
  const auto before = six.instance("a", "x-3");
  REQUIRE(before.is_object());
  CHECK(six.cluster.ask("b", {"call", "x-3", "crash", "{}"}).exit == live::said_no);
  CHECK(eventually([&] {
    return six.everywhere("x-3", [&](const Json& now) {
      return now.at("state") == "running" && now.at("ref") != before.at("ref") &&
             now.at("node") == before.at("node");
    });
  }));
  CHECK(six.cluster.query("c", {"call", "x-3", "get", "{}"}) == Json{{"total", 0}});
}

TEST_CASE("a worker that keeps throwing is failed on every node and nothing else suffers") {
  SixNodes six;
  REQUIRE(eventually([&] {
    six.cluster.ask("a", {"cast", "x-3", "crash", "{}"});
    return six.everywhere("x-3", [](const Json& now) { return now.at("state") == "failed"; });
  }));
  for (int i = 0; i < 9; ++i) {
    const auto id = "x-" + std::to_string(i);
    if (i == 3) continue;
    CHECK(six.everywhere(id, [](const Json& now) { return now.at("state") == "running"; }));
    CHECK(six.cluster.query("b", {"call", id, "get", "{}"}) == Json{{"total", 0}});
  }
  CHECK(six.cluster.ask("c", {"restart", "x-3"}).exit == live::done);
  CHECK(eventually(
      [&] { return six.everywhere("x-3", [](const Json& now) { return now.at("state") == "running"; }); }));
}

}  // namespace cluster_crash_test
