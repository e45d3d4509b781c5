// Every checker finds the bug it is for, and nothing in a core that is right.
#include <doctest/doctest.h>

#include <string>

#include "tests/sim/tiny_core.hpp"
#include "transport/sim/message_checks.hpp"
#include "transport/sim/quiet_checks.hpp"
#include "transport/sim/safety_checks.hpp"
#include "transport/sim/sim_cluster.hpp"

namespace checkers_test {

using namespace processhub;
using namespace processhub::sim;
using namespace std::chrono_literals;

namespace {

ChildSpec counter(const std::string& id) {
  ChildSpec spec;
  spec.id = id;
  spec.type = "counter";
  return spec;
}

/// Two starts, a stop and a call on a node alone; the first broken invariant, or "".
std::string play(Bug bug) {
  SimCluster cluster({1, {}, {}, tiny_cores(bug), 0s});
  SafetyChecks safety(cluster);
  QuietChecks quiet(cluster, safety);
  cluster.add_node("a", {});
  StartOptions options;
  options.timeout = 2s;
  cluster.start("a", {counter("x")}, options);
  cluster.run_for(10ms);
  cluster.start("a", {counter("y")}, options);
  cluster.run_for(10ms);
  cluster.call("a", "y", "add", "1 #1", 1s);
  cluster.stop("a", protocol::event::Select::ids, {"x"});
  cluster.run_for(40s);
  if (quiet.settle(5s)) {
    if (auto lost = quiet.lost_fact()) cluster.report(lost->invariant, lost->what);
    if (auto wrong = message_problem(cluster)) cluster.report(wrong->invariant, wrong->what);
  }
  return cluster.violations().empty() ? "" : cluster.violations().front().invariant;
}

}  // namespace

TEST_CASE("a core that keeps its promises passes every check") { CHECK(play(Bug::none) == ""); }

TEST_CASE("each broken promise is found by the check that is for it") {
  CHECK(play(Bug::answers_twice) == "I6");
  CHECK(play(Bug::never_answers) == "I6");
  CHECK(play(Bug::answers_late) == "I6");
  CHECK(play(Bug::answers_unasked) == "I6");
  CHECK(play(Bug::lies_about_a_call) == "I6");
  CHECK(play(Bug::same_generation) == "I4");
  CHECK(play(Bug::same_serial) == "I4");
  CHECK(play(Bug::stops_an_unknown_worker) == "I4");
  CHECK(play(Bug::forgets_a_start) == "I3");
  CHECK(play(Bug::undoes_a_stop) == "I3");
  CHECK(play(Bug::leaves_a_stray) == "I1");
  CHECK(play(Bug::lists_a_dead_worker) == "I2");
  CHECK(play(Bug::stays_locked) == "I8");
  CHECK(play(Bug::post_hook_only) == "I8");
  CHECK(play(Bug::starts_end_unannounced) == "I8");
  CHECK(play(Bug::migrates_unannounced) == "I8");
  CHECK(play(Bug::loses_a_quorum_twice) == "I8");
}

TEST_CASE("nodes of one component that disagree are found") {
  const std::vector<NodeId> both{NodeId::of("a", 1), NodeId::of("b", 1)};
  for (const auto bug : {Bug::none, Bug::digest_of_its_own}) {
    SimCluster cluster({1, {}, {}, tiny_cores(bug, both), 0s});
    SafetyChecks safety(cluster);
    QuietChecks quiet(cluster, safety);
    cluster.add_node("a", {});
    cluster.add_node("b", {});
    CHECK(quiet.settle(1s) == (bug == Bug::none));
    if (bug == Bug::none) continue;
    REQUIRE(cluster.violations().size() == 1);
    CHECK(cluster.violations()[0].invariant == "I2");
  }
}

TEST_CASE("nodes that believe in others than those they can reach are found") {
  SimCluster cluster({1, {}, {}, tiny_cores(), 0s});
  SafetyChecks safety(cluster);
  QuietChecks quiet(cluster, safety);
  cluster.add_node("a", {});
  cluster.add_node("b", {});
  cluster.split({"a"}, {"b"});
  CHECK(quiet.settle(1s));
  cluster.heal_all();
  CHECK_FALSE(quiet.settle(1s));
}

TEST_CASE("components are those who reach each other, also through others") {
  SimCluster cluster({1, {}, {}, tiny_cores(), 0s});
  for (const char* name : {"a", "b", "c", "d"}) cluster.add_node(name, {});
  CHECK(components(cluster).size() == 1);
  cluster.cut("a", "b");
  CHECK(components(cluster).size() == 1);
  cluster.split({"a", "b"}, {"c", "d"});
  CHECK(components(cluster).size() == 3);
  cluster.heal("a", "b");
  CHECK(components(cluster).size() == 2);
  cluster.crash("c");
  CHECK(components(cluster).size() == 2);
}

}  // namespace checkers_test
