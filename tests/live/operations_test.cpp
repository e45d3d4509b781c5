// The verbs of hubctl for maintenance, on real nodes: drain, freeze, lock, wait.
#include <doctest/doctest.h>

#include "tests/live/support/fault_checks.hpp"
#include "tests/live/support/terminal.hpp"

namespace operations_test {

using live::eventually;
using live::Json;
using live::Names;
using live::ProcessCluster;

namespace {

constexpr std::size_t kChildren = 30;

struct Three {
  ProcessCluster cluster{};
  Three() {
    cluster.start(Names{"a", "b", "c"});
    live::start_counters(cluster, "a", "x", kChildren);
    live::require_quiet(cluster, kChildren);
  }
  int exit_of(Names arguments) const { return cluster.ask("a", std::move(arguments)).exit; }
  std::size_t children_on(const std::string& node) const {
    auto placement = cluster.placement("a");
    return placement[node];
  }
};

}  // namespace

TEST_CASE("operations: a drained node gives its children away and stays, until it is undrained") {
  Three three;
  CHECK(three.exit_of({"drain", "b"}) == live::usage);  // nobody can be asked here
  CHECK(three.exit_of({"drain", "z", "--yes"}) == live::usage);
  REQUIRE(three.children_on("b") > 0);
  CHECK(three.exit_of({"drain", "b", "--yes"}) == live::done);
  CHECK(eventually([&] { return three.children_on("b") == 0 && three.cluster.each_runs_once(kChildren); }));
  CHECK(three.exit_of({"wait", "--stable"}) == live::done);
  live::start_counters(three.cluster, "b", "y", 10);
  CHECK(three.children_on("b") == 0);
  CHECK(three.exit_of({"undrain", "b"}) == live::done);
  CHECK(eventually([&] { return three.children_on("b") > 0; }));
  CHECK(three.exit_of({"wait", "--stable"}) == live::done);
  CHECK(three.cluster.each_runs_once(kChildren + 10));
}

TEST_CASE("operations: while frozen a dead node's children wait, and run again after unfreeze") {
  Three three;
  CHECK(three.exit_of({"freeze"}) == live::usage);
  REQUIRE(three.exit_of({"freeze", "--yes"}) == live::done);
  const auto lost = three.children_on("c");
  REQUIRE(lost > 0);
  three.cluster.kill("c");
  REQUIRE(eventually([&] { return three.cluster.all_see({"a", "b"}); }));
  CHECK(three.exit_of({"wait", "--stable"}) == live::done);  // the dead one is no member
  CHECK(three.children_on("a") + three.children_on("b") == kChildren - lost);
  REQUIRE(three.exit_of({"unfreeze"}) == live::done);
  CHECK(eventually([&] { return three.cluster.each_runs_once(kChildren); }));
}

TEST_CASE("operations: a lock holds starts until it is ended, and wait --stable says what is missing") {
  ProcessCluster cluster;
  cluster.start(Names{"a"});
  const auto locked = cluster.ask("a", {"lock", "--reason", "backup", "--yes"});
  REQUIRE(locked.exit == live::done);
  const auto start = Names{"--timeout", "300ms", "start", "x", "--type", "counter"};
  CHECK(cluster.ask("a", start).exit == live::said_no);
  CHECK(cluster.ask("a", {"unlock", locked.json().at("token").dump()}).exit == live::done);
  CHECK(cluster.ask("a", {"unlock", locked.json().at("token").dump()}).exit == live::said_no);
  CHECK(cluster.ask("a", {"start", "x", "--type", "counter"}).exit == live::done);
  cluster.start("b");
  REQUIRE(eventually([&] { return cluster.all_see({"a", "b"}); }));
  cluster.pause("b");
  const auto waited = cluster.ask("a", {"--timeout", "100ms", "wait", "--stable"});
  CHECK(waited.exit == live::said_no);
  CHECK(waited.json().at("code") == "timeout");
  cluster.resume("b");
  CHECK(cluster.ask("a", {"wait", "--stable"}).exit == live::done);
}

TEST_CASE("operations: on a terminal hubctl asks before it does harm, and shows how far it is") {
  ProcessCluster cluster;
  const auto config = cluster.directory().write(
      "quorum.ini",
      "partition_tolerance = majority_quorum\n[partition_tolerance]\ninitial_cluster_size = 2\n");
  cluster.set_flags({"--config", config}, {});
  cluster.start(Names{"a", "b"});
  live::start_counters(cluster, "a", "x", 10);
  live::require_quiet(cluster, 10);
  const auto hubctl = [&](Names arguments) {
    arguments.insert(arguments.begin(), {live::program_path("hubctl"), "--connect", cluster.endpoint("a")});
    return live::Terminal(arguments, 80, 24);
  };
  const auto ends = [](const live::Terminal& terminal, int exit) {
    CHECK_MESSAGE(eventually([&] { return terminal.exit_code() == exit; }), terminal.screen());
  };
  {
    const auto refused = hubctl({"drain", "b"});
    live::require_shows(refused, "All children of this node move to others. Go on? [y/N]");
    refused.press({"n", "Enter"});
    ends(refused, live::usage);
    CHECK(cluster.placement("a")["b"] > 0);
  }
  {
    const auto drained = hubctl({"drain", "b"});
    live::require_shows(drained, "[y/N]");
    drained.press({"y", "Enter"});
    ends(drained, live::done);
    CHECK(cluster.placement("a")["b"] == 0);
  }
  cluster.kill("b");
  const auto waits = hubctl({"--timeout", "60s", "wait", "--stable"});
  live::require_shows(waits, "[........................] a has no quorum");
  const auto reset = hubctl({"reset-cluster-size"});
  live::require_shows(reset, "Nodes that are not up now lose their vote.");
  reset.press({"y", "Enter"});
  ends(reset, live::done);
  ends(waits, live::done);
  CHECK_FALSE(waits.shows("[....."));  // gone when it is done
}

TEST_CASE(
    "operations: a child that runs is restarted where it is, by way of any node, and keeps its mailbox") {
  Three three;
  auto& cluster = three.cluster;
  std::string id;
  for (const auto& child : cluster.query("a", {"list"}))
    if (child.at("instances")[0].at("node") == "b") id = child.at("id");
  REQUIRE_FALSE(id.empty());
  const auto instance = [&] { return cluster.query("c", {"lookup", id}).at("instances")[0]; };
  const auto before = instance();
  REQUIRE(cluster.ask("a", {"call", id, "add", R"({"by": 5})"}).exit == live::done);
  REQUIRE(cluster.ask("a", {"cast", id, "sleep", R"({"ms": 300})"}).exit == live::done);
  REQUIRE(cluster.ask("a", {"cast", id, "add", R"({"by": 2})"}).exit == live::done);
  const auto answer = cluster.ask("c", {"restart", id});
  REQUIRE_MESSAGE(answer.exit == live::done, answer.err);
  CHECK(answer.json().at("children")[0] ==
        Json{{"id", id}, {"restarted", true}, {"nodes", Json::array({"b"})}});
  const auto generation = before.at("generation").get<std::string>();
  CHECK(eventually([&] {
    const auto now = instance();
    return now.at("state") == "running" && now.at("ref") != before.at("ref") && now.at("node") == "b" &&
           now.at("generation") == "1.1" + generation.substr(3);
  }));
  CHECK(cluster.each_runs_once(kChildren));
  // It lost what it had counted, and not what was waiting.
  CHECK(cluster.query("a", {"call", id, "get", "{}"}) == Json{{"total", 2}});
  const auto nobody = cluster.ask("c", {"restart", id, "nobody"});
  CHECK(nobody.exit == live::said_no);
  CHECK(nobody.err.find("there is no child 'nobody'") != std::string::npos);
  CHECK(cluster.ask("c", {"restart", id, "--node", "a"}).err.find("does not run on 'a'") !=
        std::string::npos);
}

}  // namespace operations_test
