// Real nodes that run children only with a quorum: cut off, killed and ended, under each of the quorum
// strategies.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "tests/live/support/fault_checks.hpp"
#include "tests/live/support/process_cluster.hpp"
#include "tests/live/support/relay_lab.hpp"

namespace cluster_quorum_test {

using live::eventually;
using live::Json;
using live::Names;
using live::ProcessCluster;

namespace {

constexpr std::size_t kChildren = 60;

/// The flags of nodes with this strategy and these options.
Names quorum(const ProcessCluster& cluster, const std::string& name, const std::string& options) {
  return {"--config", cluster.directory().write("quorum.ini", "partition_tolerance = " + name +
                                                                  "\n[partition_tolerance]\n" + options)};
}

/// Without a quorum: they say so, are locked, and list no child as running on one of them.
bool without_quorum(const ProcessCluster& cluster, const Names& side) {
  return std::all_of(side.begin(), side.end(), [&](const std::string& name) {
    const auto status = cluster.query(name, {"status"});
    if (!status.is_object() || status.at("partitioned") != true || status.at("locked") != true) return false;
    const auto list = cluster.query(name, {"list"});
    return std::all_of(list.begin(), list.end(), [&](const Json& child) {
      const auto& instances = child.at("instances");
      return std::none_of(instances.begin(), instances.end(), [&](const Json& i) {
        return i.at("state") == "running" && std::find(side.begin(), side.end(), i.at("node")) != side.end();
      });
    });
  });
}

void require_without_quorum(const ProcessCluster& cluster, const Names& side) {
  REQUIRE_MESSAGE(eventually([&] { return without_quorum(cluster, side); }),
                  cluster.query(side.front(), {"status"}).dump(), cluster.log(side.front()));
}

void check_start_refused(const ProcessCluster& cluster, const std::string& node) {
  const auto refused = cluster.ask(node, {"start", "late", "--type", "counter"});
  CHECK(refused.exit == live::said_no);
  CHECK(refused.err.find("partitioned") != std::string::npos);
}

}  // namespace

TEST_CASE(
    "static quorum: the side that is cut off runs nothing, the other everything, and all after the heal") {
  live::RelayLab lab;
  auto& cluster = lab.cluster();
  cluster.set_flags(quorum(cluster, "static_quorum", "quorum_size = 2\nquorum_lease = 1s\n"), {});
  cluster.start(Names{"a", "b", "c"});
  live::start_counters(cluster, "a", "x", kChildren);
  live::require_quiet(cluster, kChildren);
  CHECK(cluster.query("a", {"call", "x-0", "add", R"({"by": 1})"}) == Json{{"total", 1}});

  lab.cut_between({"c"}, {"a", "b"});
  require_without_quorum(cluster, {"c"});
  live::require_quiet(cluster, {"a", "b"}, kChildren);
  CHECK(without_quorum(cluster, {"c"}));
  check_start_refused(cluster, "c");
  live::start_counters(cluster, "a", "y", 10);

  lab.cut_between({"a"}, {"b"});
  require_without_quorum(cluster, {"a", "b", "c"});
  lab.heal_between({"a"}, {"b"});
  lab.heal_between({"c"}, {"a", "b"});
  live::require_quiet(cluster, kChildren + 10);
  CHECK(cluster.query("c", {"status"}).at("partitioned") == false);
  live::start_counters(cluster, "c", "z", 5);
}

TEST_CASE("dynamic quorum: of five nodes with 60 % two may be lost, and the third is one too many") {
  ProcessCluster cluster;
  cluster.set_flags(quorum(cluster, "dynamic_quorum", "quorum_size = 60\nthreshold_time = 1h\n"), {});
  cluster.start(Names{"a", "b", "c", "d", "e"});
  live::start_counters(cluster, "a", "x", kChildren);
  live::require_quiet(cluster, kChildren);
  cluster.kill("e");
  cluster.kill("d");
  live::require_quiet(cluster, kChildren);
  cluster.kill("c");
  require_without_quorum(cluster, {"a", "b"});
  check_start_refused(cluster, "a");
  cluster.start("c");
  live::require_quiet(cluster, kChildren);
}

TEST_CASE("majority quorum: nodes that leave are not missed, killed ones are until the size is reset") {
  ProcessCluster cluster;
  cluster.set_flags(quorum(cluster, "majority_quorum", "initial_cluster_size = 5\n"), {});
  cluster.start("a");
  require_without_quorum(cluster, {"a"});
  check_start_refused(cluster, "a");
  for (const auto* name : {"b", "c", "d", "e"}) cluster.start(name);
  REQUIRE(eventually([&] { return cluster.query("a", {"status"}).at("partitioned") == false; }));
  live::start_counters(cluster, "a", "x", kChildren);
  live::require_quiet(cluster, kChildren);

  CHECK(cluster.terminate("e") == 0);
  CHECK(cluster.terminate("d") == 0);
  live::require_quiet(cluster, kChildren);
  cluster.kill("c");
  live::require_quiet(cluster, kChildren);
  cluster.kill("b");
  require_without_quorum(cluster, {"a"});
  check_start_refused(cluster, "a");
  CHECK(cluster.ask("a", {"reset-cluster-size", "--yes"}).exit == live::done);
  live::require_quiet(cluster, kChildren);
  cluster.start("b");
  live::require_quiet(cluster, kChildren);
}

TEST_CASE("a strategy that counts no size cannot be told to count it anew") {
  ProcessCluster cluster;
  cluster.start("a");
  const auto refused = cluster.ask("a", {"reset-cluster-size", "--yes"});
  CHECK(refused.exit == live::said_no);
  CHECK(refused.err.find("'divergence' counts no cluster size") != std::string::npos);
}

}  // namespace cluster_quorum_test
