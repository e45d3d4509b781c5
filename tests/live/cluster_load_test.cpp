// Real nodes that place children by load.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tests/live/support/fault_checks.hpp"
#include "tests/live/support/process_cluster.hpp"

namespace cluster_load_test {

using live::eventually;
using live::ProcessCluster;
using Names = std::vector<std::string>;

namespace {

constexpr std::size_t kChildren = 1000;
const Names kSix = {"a", "b", "c", "d", "e", "f"};

Names by_load(const Names& options = {}) {
  Names flags = {"--distribution", "load_balancer", "--distribution.push_interval", "500ms"};
  flags.insert(flags.end(), options.begin(), options.end());
  return flags;
}

/// Where each child runs, as `node` sees it.
std::map<std::string, std::string> places(const ProcessCluster& cluster, const std::string& node) {
  std::map<std::string, std::string> out;
  for (const auto& child : cluster.query(node, {"list"}))
    for (const auto& instance : child.at("instances")) out[child.at("id")] = instance.at("node");
  return out;
}

/// Children that are elsewhere now, though their node lives.
std::size_t moved(const std::map<std::string, std::string>& before,
                  const std::map<std::string, std::string>& now, const std::string& gone = {}) {
  return static_cast<std::size_t>(std::count_if(before.begin(), before.end(), [&](const auto& child) {
    return child.second != gone && now.at(child.first) != child.second;
  }));
}

void start(const ProcessCluster& cluster, const std::string& node, const std::string& prefix,
           std::size_t count) {
  live::start_counters(cluster, node, prefix, count);
}

}  // namespace

TEST_CASE(
    "six nodes with 1,000 children by load: started and stopped on every node, they stay when a node joins, "
    "and "
    "only those of a node that goes move") {
  ProcessCluster cluster;
  cluster.set_flags(by_load(), {});
  const Names five = {"a", "b", "c", "d", "e"};
  cluster.start(five);
  REQUIRE(eventually([&] { return cluster.all_see(five); }));
  for (const auto& node : five) start(cluster, node, "x-" + node, kChildren / 5);
  live::require_quiet(cluster, kChildren);
  // One machine, which some of them measured in a busier moment: with the defaults they get 0.3 times the
  // children of the others at least.
  const auto first = cluster.placement("a");
  for (const auto& node : five) CHECK_MESSAGE(first.at(node) > 50, node);

  auto before = places(cluster, "a");
  cluster.start("f");
  live::require_quiet(cluster, kChildren);
  CHECK(moved(before, places(cluster, "f")) == 0);
  start(cluster, "f", "y", 100);
  live::require_quiet(cluster, kChildren + 100);
  CHECK(cluster.placement("f").at("f") > 50);  // it had none

  before = places(cluster, "a");
  cluster.kill("a");  // who balances
  live::require_quiet(cluster, kChildren + 100);
  CHECK(moved(before, places(cluster, "b"), "a") == 0);
  start(cluster, "c", "z", 100);
  live::require_quiet(cluster, kChildren + 200);

  before = places(cluster, "b");
  CHECK(cluster.terminate("d") == 0);
  live::require_quiet(cluster, kChildren + 200);
  CHECK(moved(before, places(cluster, "b"), "d") == 0);
  before = places(cluster, "b");
  cluster.start("a");
  live::require_quiet(cluster, kChildren + 200);
  CHECK(moved(before, places(cluster, "a")) == 0);

  REQUIRE(cluster.ask("e", {"stop", "--prefix", "x"}).exit == live::done);
  REQUIRE(cluster.ask("a", {"stop", "--prefix", "y"}).exit == live::done);
  REQUIRE(cluster.ask("f", {"stop", "--prefix", "z"}).exit == live::done);
  REQUIRE(eventually([&] { return cluster.query("c", {"list"}).empty() && cluster.digests_agree(); }));
}

TEST_CASE(
    "by load with rebalance and two copies: a node that joins gets its share of 300 children, little by "
    "little") {
  ProcessCluster cluster;
  cluster.set_flags(by_load({"--distribution.rebalance", "true", "--distribution.children_weight", "1000",
                             "--distribution.hysteresis", "0.05", "--redundancy", "replication",
                             "--redundancy.factor", "2"}),
                    {});
  cluster.start({"a", "b", "c"});
  REQUIRE(eventually([&] { return cluster.all_see({"a", "b", "c"}); }));
  start(cluster, "b", "x", 300);
  cluster.start("d");
  // Its share is 150 of 600 instances.
  const auto near_its_share = [](const auto& node) { return node.second >= 125 && node.second <= 165; };
  REQUIRE(eventually([&] {
    const auto now = cluster.placement("a");
    return now.size() == 4 && std::all_of(now.begin(), now.end(), near_its_share) && cluster.digests_agree();
  }));
  // Who is asked knows how busy each node is and what it has.
  const auto child = live::run_program({live::program_path("zmq-monitor"), cluster.endpoint("b"), "--json",
                                        "explain", "x-1"})
                         .json();
  REQUIRE(child.at("candidates").size() == 4);
  for (const auto& one : child.at("candidates")) {
    CHECK(one.at("score") > 0);
    CHECK(one.at("why").get<std::string>().find(" children, weight 1") != std::string::npos);
  }
}

}  // namespace cluster_load_test
