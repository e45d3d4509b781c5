// What the operating system does to processes: SIGKILL and SIGSTOP at bad moments, and addresses that
// somebody else takes over.
#include <doctest/doctest.h>

#include <csignal>
#include <map>
#include <set>

#include "tests/live/support/fault_checks.hpp"
#include "tests/live/support/tcp_relay.hpp"

namespace faults_process_test {

using live::eventually;
using live::Json;
using live::Names;
using live::ProcessCluster;

namespace {

const Names kFive = {"a", "b", "c", "d", "e"};

live::Process hubctl(const ProcessCluster& cluster, const std::string& node, Names arguments) {
  arguments.insert(arguments.begin(),
                   {live::program_path("hubctl"), "--connect", cluster.endpoint(node), "--json"});
  return live::Process({std::move(arguments), cluster.directory().path() / "hubctl.err"});
}

/// Children that a start answered with an instance: they are promised to live on.
std::set<std::string> acknowledged(const Json& answer) {
  std::set<std::string> out;
  for (const auto& child : answer.at("children"))
    if (!child.contains("error")) out.insert(child.at("id").get<std::string>());
  return out;
}

std::set<std::string> listed(const ProcessCluster& cluster, const std::string& node) {
  std::set<std::string> out;
  for (const auto& child : cluster.query(node, {"list"})) out.insert(child.at("id").get<std::string>());
  return out;
}

/// All nodes whose names begin alike live at the same two addresses, one after the other.
class OneAddressEach final : public live::Places {
 public:
  live::Place place(const std::string& node) override {
    auto& at = places_[node.front()];
    if (at.control.empty()) {
      at.control = live::own_endpoint();
      at.flags = {"--listen", at.control, "--pub_listen", live::own_endpoint()};
    }
    return at;
  }
  void launched(const std::string&, pid_t) override {}

 private:
  std::map<char, live::Place> places_{};
};

}  // namespace

TEST_CASE("kill -9 during a big start: what was acknowledged runs once, and all nodes list the same") {
  ProcessCluster cluster;
  cluster.start({"a", "b", "c"});
  auto start = hubctl(cluster, "a", {"start", "x", "--count", "20000", "--type", "counter"});
  // In the middle: the victim runs some of them.
  REQUIRE(eventually([&] {
    const auto status = cluster.query("b", {"status"});
    return status.is_object() && status.at("children_local") > 0;
  }));
  cluster.kill("b");
  const auto answer = Json::parse(start.read_rest(std::chrono::seconds(30)), nullptr, false);
  REQUIRE(answer.is_object());
  const auto promised = acknowledged(answer);
  std::set<std::string> kept;
  REQUIRE(eventually([&] {
    kept = listed(cluster, "a");
    return is_quiet(cluster, kept.size());
  }));
  CHECK(std::includes(kept.begin(), kept.end(), promised.begin(), promised.end()));
}

TEST_CASE("kill -9 of the node that was asked, during a big start: its survivors agree and can go on") {
  ProcessCluster cluster;
  cluster.start({"a", "b", "c"});
  auto start = hubctl(cluster, "a", {"start", "x", "--count", "20000", "--type", "counter"});
  REQUIRE(eventually([&] {
    const auto status = cluster.query("a", {"status"});
    return status.is_object() && status.at("children_local") > 0;
  }));
  cluster.kill("a");
  start.kill();
  REQUIRE(eventually([&] { return is_quiet(cluster, listed(cluster, "b").size()); }));
  live::start_counters(cluster, "b", "y", 10);
}

TEST_CASE("two of five nodes are stopped at once and wake together: each child runs once at any rest") {
  ProcessCluster cluster;
  cluster.start(kFive);
  live::start_counters(cluster, "c", "x", 200);
  live::require_quiet(cluster, 200);
  for (const std::string node : {"a", "d"}) cluster.pause(node);
  live::require_quiet(cluster, {"b", "c", "e"}, 200);
  for (const std::string node : {"d", "a"}) cluster.resume(node);
  live::require_quiet(cluster, 200);
}

TEST_CASE("four of five nodes are killed at once: the last one runs everything") {
  ProcessCluster cluster;
  cluster.start(kFive);
  live::start_counters(cluster, "c", "x", 200);
  live::require_quiet(cluster, 200);
  for (const std::string node : {"a", "b", "c", "d"}) cluster.process(node).send_signal(SIGKILL);
  for (const std::string node : {"a", "b", "c", "d"}) cluster.kill(node);
  live::require_quiet(cluster, {"e"}, 200);
}

TEST_CASE("a node is killed in the middle of its drain: nothing is lost") {
  ProcessCluster cluster;
  cluster.start({"a", "b", "c"});
  live::start_counters(cluster, "a", "x", 5000);
  REQUIRE(eventually([&] { return is_quiet(cluster, 5000); }));
  cluster.process("b").send_signal(SIGTERM);
  REQUIRE(eventually([&] { return cluster.log("b").find("draining") != std::string::npos; }));
  cluster.kill("b");
  live::require_quiet(cluster, {"a", "c"}, 5000);
}

TEST_CASE("a node that is killed is followed by one of another name at the same address") {
  OneAddressEach places;
  ProcessCluster cluster;
  cluster.set_places(places);
  cluster.start({"a", "b", "z-old"});
  live::start_counters(cluster, "z-old", "x", 60);
  live::require_quiet(cluster, 60);
  const auto address = cluster.endpoint("z-old");
  cluster.kill("z-old");
  cluster.start("z-new");
  CHECK(cluster.endpoint("z-new") == address);
  live::require_quiet(cluster, {"a", "b", "z-new"}, 60);
  CHECK(state_of(cluster, "a", "z-old") == "down");
}

TEST_CASE("a node is stopped while another is killed, and wakes into a cluster that has moved on") {
  ProcessCluster cluster;
  cluster.start({"a", "b", "c", "d"});
  live::start_counters(cluster, "a", "x", 100);
  live::require_quiet(cluster, 100);
  cluster.pause("d");
  cluster.kill("a");
  live::require_quiet(cluster, {"b", "c"}, 100);
  REQUIRE(cluster.ask("b", {"stop", "x-7"}).exit == live::done);
  cluster.start("a");
  live::require_quiet(cluster, {"a", "b", "c"}, 99);
  cluster.resume("d");
  live::require_quiet(cluster, 99);
}

}  // namespace faults_process_test
