// Real nodes that run children only with a quorum: cut off, killed and ended, under each of the quorum
// strategies.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/live/support/fault_checks.hpp"
#include "tests/live/support/process_cluster.hpp"
#include "tests/live/support/quorum_checks.hpp"
#include "tests/live/support/relay_lab.hpp"

namespace cluster_quorum_test {

using live::eventually;
using live::Json;
using live::Names;
using live::ProcessCluster;

namespace {

constexpr std::size_t kChildren = 60;
constexpr std::size_t kMany = 1000;
const Names kTen = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};

/// The flags of nodes with this strategy and these options.
Names quorum(const ProcessCluster& cluster, const std::string& name, const std::string& options) {
  return {"--config", cluster.directory().write("quorum.ini", "partition_tolerance = " + name +
                                                                  "\n[partition_tolerance]\n" + options)};
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
  live::require_without_quorum(cluster, {"c"});
  live::require_quiet(cluster, {"a", "b"}, kChildren);
  CHECK(live::without_quorum(cluster, {"c"}));
  live::check_start_refused(cluster, "c");
  live::start_counters(cluster, "a", "y", 10);

  lab.cut_between({"a"}, {"b"});
  live::require_without_quorum(cluster, {"a", "b", "c"});
  lab.heal_between({"a"}, {"b"});
  lab.heal_between({"c"}, {"a", "b"});
  live::require_quiet(cluster, kChildren + 10);
  CHECK(cluster.query("c", {"status"}).at("partitioned") == false);
  live::start_counters(cluster, "c", "z", 5);
}

TEST_CASE(
    "static quorum of four: six nodes leave, die and come, and whenever four are left all children run") {
  ProcessCluster cluster;
  cluster.set_flags(quorum(cluster, "static_quorum", "quorum_size = 4\nquorum_lease = 1s\n"), {});
  cluster.start(Names{"a", "b", "c", "d", "e", "f"});
  live::start_counters(cluster, "a", "x", kMany);
  live::require_quiet(cluster, kMany);
  CHECK(cluster.terminate("f") == 0);
  cluster.kill("e");
  live::require_quiet(cluster, kMany);
  CHECK(cluster.terminate("d") == 0);
  live::require_without_quorum(cluster, {"a", "b", "c"});
  live::check_start_refused(cluster, "b");

  cluster.start("g");
  live::require_quiet(cluster, kMany);
  cluster.kill("a");
  live::require_without_quorum(cluster, {"b", "c", "g"});
  cluster.start("d");
  cluster.start("h");
  live::require_quiet(cluster, kMany);
  live::start_counters(cluster, "h", "y", 10);
}

TEST_CASE("dynamic quorum: of ten nodes with 80 % two may be lost, and the third is one too many") {
  ProcessCluster cluster;
  cluster.set_flags(quorum(cluster, "dynamic_quorum", "quorum_size = 80\nthreshold_time = 1h\n"), {});
  cluster.start(kTen);
  live::start_counters(cluster, "a", "x", kMany);
  live::require_quiet(cluster, kMany);
  cluster.kill("j");
  cluster.kill("i");
  live::require_quiet(cluster, kMany);
  cluster.kill("h");
  live::require_without_quorum(cluster, cluster.names());
  live::check_start_refused(cluster, "a");
  cluster.start("h");
  live::require_quiet(cluster, kMany);
}

TEST_CASE(
    "majority quorum: grown from three nodes to ten and shrunk to five by leaves, it misses three of five") {
  ProcessCluster cluster;
  cluster.set_flags(quorum(cluster, "majority_quorum", "initial_cluster_size = 3\nquorum_lease = 1s\n"), {});
  cluster.start(Names(kTen.begin(), kTen.begin() + 3));
  live::start_counters(cluster, "a", "x", kMany);
  live::require_quiet(cluster, kMany);
  for (std::size_t i = 3; i < kTen.size(); ++i) cluster.start(kTen[i]);
  live::require_quiet(cluster, kMany);
  // All ten are counted: half of them are no majority, and let the others in again.
  const std::vector<std::string> later{"j", "i", "h", "g", "f"};
  for (const auto& name : later) cluster.kill(name);
  live::require_without_quorum(cluster, {"a", "b", "c", "d", "e"});
  for (const auto& name : later) cluster.start(name);
  live::require_quiet(cluster, kMany);
  for (const auto& name : later) CHECK(cluster.terminate(name) == 0);
  live::require_quiet(cluster, kMany);
  CHECK(cluster.query("a", {"status"}).at("partitioned") == false);

  cluster.kill("e");
  cluster.kill("d");
  live::require_quiet(cluster, kMany);
  cluster.start("e");
  live::require_quiet(cluster, kMany);
  cluster.kill("c");
  live::require_quiet(cluster, kMany);
  cluster.kill("b");
  live::require_without_quorum(cluster, {"a", "e"});
}

TEST_CASE("majority quorum: all nodes are killed and started again, one by one, each waited for") {
  ProcessCluster cluster;
  cluster.set_flags(quorum(cluster, "majority_quorum", "initial_cluster_size = 3\nquorum_lease = 1s\n"), {});
  cluster.start(Names{"a", "b", "c"});
  live::start_counters(cluster, "a", "x", kChildren);
  live::require_quiet(cluster, kChildren);
  const std::map<std::string, std::string> other{{"a", "b"}, {"b", "c"}, {"c", "a"}};
  for (const auto& [name, asked] : other) {
    cluster.kill(name);
    cluster.start(name);
    CHECK(cluster.ask(asked, {"--timeout", "60s", "wait", "--stable"}).exit == live::done);
    CHECK(cluster.query(asked, {"status"}).at("partitioned") == false);
  }
  live::require_quiet(cluster, kChildren);
}

TEST_CASE("majority quorum: when more than half restart at once, somebody says that they are the cluster") {
  ProcessCluster cluster;
  cluster.set_flags(quorum(cluster, "majority_quorum", "initial_cluster_size = 3\nquorum_lease = 1s\n"), {});
  cluster.start(Names{"a", "b", "c"});
  live::start_counters(cluster, "a", "x", kChildren);
  live::require_quiet(cluster, kChildren);
  cluster.kill("b");
  cluster.kill("c");
  live::require_without_quorum(cluster, {"a"});
  cluster.start("b");
  cluster.start("c");
  REQUIRE(eventually(
      [&] { return cluster.log("a").find("only after reset-cluster-size") != std::string::npos; }));
  live::require_without_quorum(cluster, {"a", "b", "c"});
  CHECK(cluster.ask("b", {"reset-cluster-size", "--yes"}).exit == live::done);
  live::require_quiet(cluster, kChildren);
}

TEST_CASE("majority quorum: nodes that leave are not missed, killed ones are until the size is reset") {
  ProcessCluster cluster;
  cluster.set_flags(quorum(cluster, "majority_quorum", "initial_cluster_size = 5\n"), {});
  cluster.start("a");
  live::require_without_quorum(cluster, {"a"});
  live::check_start_refused(cluster, "a");
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
  live::require_without_quorum(cluster, {"a"});
  live::check_start_refused(cluster, "a");
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
