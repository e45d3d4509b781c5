// Nodes whose every connection runs through a relay that misbehaves: cuts, delays, resets. Nothing here needs
// rights; what packets suffer is in faults_netns_test.cpp.
#include <doctest/doctest.h>

#include <set>
#include <utility>

#include "tests/live/support/fault_checks.hpp"
#include "tests/live/support/relay_lab.hpp"

namespace faults_relay_test {

using live::eventually;
using live::Json;
using live::Names;
using live::RelayLab;

namespace {

constexpr std::size_t kChildren = 30;
const Names kThree = {"a", "b", "c"};

struct ThreeRelayed {
  RelayLab lab{};
  live::ProcessCluster& cluster = lab.cluster();
  ThreeRelayed() {
    cluster.start(kThree);
    live::start_counters(cluster, "a", "x", kChildren);
    live::require_quiet(cluster, kChildren);
  }

  void cut_off_c() {
    lab.cut_between({"c"}, {"a", "b"});
    require_apart();
  }
  void heal_c() { lab.heal_between({"c"}, {"a", "b"}); }
  /// Both sides run everything, each for itself.
  void require_apart() const {
    live::require_quiet(cluster, {"a", "b"}, kChildren);
    live::require_quiet(cluster, {"c"}, kChildren);
  }
  void require_apart_then_whole() {
    require_apart();
    heal_c();
    live::require_quiet(cluster, kChildren);
  }
};

}  // namespace

TEST_CASE("relay: three nodes meet through it, and nothing passes a cut") {
  ThreeRelayed three;
  auto& relay = three.lab.relay();
  for (const auto& from : kThree)
    for (const auto& to : kThree)
      if (from != to) CHECK(relay.passed(from, to) > 0);
  three.lab.cut_between({"c"}, {"a", "b"});
  const auto before = relay.passed("a", "c") + relay.passed("c", "b");
  REQUIRE(eventually([&] { return sees_only(three.cluster, {"a", "b"}); }));
  CHECK(relay.passed("a", "c") + relay.passed("c", "b") == before);
}

TEST_CASE(
    "relay: a node cut off both ways is replaced and replaces the others, and one of each is left after "
    "the heal") {
  ThreeRelayed three;
  three.lab.cut_between({"c"}, {"a", "b"});
  three.require_apart_then_whole();
}

TEST_CASE("relay: a node that hears nobody but is heard is no member until the heal") {
  ThreeRelayed three;
  three.lab.cut_from({"a", "b"}, {"c"});
  three.require_apart_then_whole();
}

TEST_CASE("relay: a node that hears everybody but is not heard is no member until the heal") {
  ThreeRelayed three;
  three.lab.cut_from({"c"}, {"a", "b"});
  three.require_apart_then_whole();
}

TEST_CASE("relay: two nodes that cannot reach each other live on through the third, and their calls too") {
  ThreeRelayed three;
  auto& cluster = three.cluster;
  three.lab.cut_between({"a"}, {"b"});
  REQUIRE(eventually([&] {
    return state_of(cluster, "a", "b") == "indirect" && state_of(cluster, "b", "a") == "indirect";
  }));
  for (const std::string node : {"a", "b"})
    for (std::size_t i = 0; i < kChildren; ++i)
      CHECK(cluster.query(node, {"call", "x-" + std::to_string(i), "get", "{}"}) == Json{{"total", 0}});
  live::start_counters(cluster, "a", "y", 10);
  for (const auto& node : kThree) {
    REQUIRE(eventually([&] { return cluster.query(node, {"list"}).size() == kChildren + 10; }));
    CHECK(cluster.placement(node).size() == 3);
  }
  three.lab.heal_between({"a"}, {"b"});
  live::require_quiet(cluster, kChildren + 10);
  live::check_nobody_died(cluster);
}

TEST_CASE("relay: an id started on both sides of a cut has one winner after the heal, the same everywhere") {
  ThreeRelayed three;
  auto& cluster = three.cluster;
  three.cut_off_c();
  for (const std::string node : {"a", "c"}) {
    const auto args = node == "a" ? R"({"start": 100})" : R"({"start": 200})";
    REQUIRE(cluster.ask(node, {"start", "twice", "--type", "counter", "--args", args}).exit == live::done);
  }
  three.heal_c();
  live::require_quiet(cluster, kChildren + 1);
  std::set<std::string> totals;
  for (const auto& node : kThree) totals.insert(cluster.query(node, {"call", "twice", "get", "{}"}).dump());
  CHECK(totals.size() == 1);
  CHECK((*totals.begin() == R"({"total":100})" || *totals.begin() == R"({"total":200})"));
}

TEST_CASE(
    "relay: a stop on one side of a cut holds on both after the heal, and starts of both sides are kept") {
  ThreeRelayed three;
  auto& cluster = three.cluster;
  three.cut_off_c();
  REQUIRE(cluster.ask("a", {"stop", "x-0", "x-1", "x-2"}).exit == live::done);
  REQUIRE(cluster.ask("c", {"stop", "x-2", "x-3"}).exit == live::done);
  live::start_counters(cluster, "b", "here", 4);
  live::start_counters(cluster, "c", "there", 4);
  three.heal_c();
  live::require_quiet(cluster, kChildren - 4 + 8);
  for (const std::string id : {"x-0", "x-1", "x-2", "x-3"})
    CHECK(cluster.ask("c", {"lookup", id}).exit == live::said_no);
}

TEST_CASE("relay: a line that takes 200 ms each way kills nobody, and calls and starts are answered") {
  ThreeRelayed three;
  auto& cluster = three.cluster;
  three.lab.shape_all(kThree, {.delay = live::Millis(200)});
  for (std::size_t i = 0; i < 10; ++i)
    CHECK(cluster.query("b", {"call", "x-" + std::to_string(i), "add", R"({"by": 1})"}) ==
          Json{{"total", 1}});
  live::start_counters(cluster, "c", "y", 200);
  live::require_quiet(cluster, kChildren + 200);
  live::check_nobody_died(cluster);
}

TEST_CASE("relay: a big start over a narrow line is slow and kills nobody") {
  ThreeRelayed three;
  auto& cluster = three.cluster;
  three.lab.shape_all(kThree, {.bytes_a_second = 200'000});
  live::start_counters(cluster, "a", "y", 3000);
  live::require_quiet(cluster, kChildren + 3000);
  live::check_nobody_died(cluster);
}

TEST_CASE("relay: a line that flaps comes to rest with the cluster whole") {
  ThreeRelayed three;
  auto& cluster = three.cluster;
  for (int round = 0; round < 4; ++round) {
    three.lab.cut_between({"c"}, {"a", "b"});
    // Long enough to be noticed, each time for another reason: suspected only, or held for dead.
    const std::string noticed = round % 2 == 0 ? "suspect" : "down";
    REQUIRE(eventually([&] {
      const auto state = state_of(cluster, "a", "c");
      return state == noticed || state == "down";
    }));
    three.heal_c();
    if (round < 2) REQUIRE(eventually([&] { return state_of(cluster, "a", "c") == "up"; }));
  }
  live::require_quiet(cluster, kChildren);
}

TEST_CASE(
    "relay: connections that are reset under a stream of calls lose no call, repeat none, and kill nobody") {
  ThreeRelayed three;
  auto& cluster = three.cluster;
  auto& relay = three.lab.relay();
  const std::vector<std::pair<std::string, std::string>> pairs{{"a", "b"}, {"b", "c"}, {"a", "c"}};
  std::size_t ended = 0;
  for (std::size_t i = 0; i < 18; ++i) {
    const auto& one = pairs[i % 3].first;
    const auto& other = pairs[i % 3].second;
    const auto passed = std::pair(relay.passed(one, other), relay.passed(other, one));
    ended += relay.reset(one, other);
    const auto id = "x-" + std::to_string(i % 10);
    const auto answer = cluster.ask(kThree[i % 3], {"call", id, "add", R"({"by": 1})"});
    CHECK_MESSAGE(answer.exit == live::done, i, " ", answer.out, answer.err);
    // They talk again before the next reset: what is never up for a moment is rightly held for dead.
    CHECK(eventually([&] {
      return relay.passed(one, other) > passed.first + 500 && relay.passed(other, one) > passed.second + 500;
    }));
  }
  CHECK(ended >= 18 * 2);
  std::size_t total = 0;
  for (std::size_t i = 0; i < 10; ++i)
    total +=
        cluster.query("a", {"call", "x-" + std::to_string(i), "get", "{}"}).at("total").get<std::size_t>();
  CHECK(total == 18);
  live::require_quiet(cluster, kChildren);
  live::check_nobody_died(cluster);
}

TEST_CASE("relay: a node is killed while another is cut off, and both come back") {
  ThreeRelayed three;
  auto& cluster = three.cluster;
  cluster.start("d");
  live::require_quiet(cluster, kChildren);
  three.lab.cut_between({"d"}, kThree);
  three.lab.relay().refuse("b", true);
  cluster.kill("b");
  live::require_quiet(cluster, {"a", "c"}, kChildren);
  live::require_quiet(cluster, {"d"}, kChildren);
  three.lab.relay().refuse("b", false);
  cluster.start("b");
  live::require_quiet(cluster, kThree, kChildren);
  three.lab.heal_between({"d"}, kThree);
  live::require_quiet(cluster, kChildren);
}

TEST_CASE("relay: five nodes cut into two and three work on, each side for itself, and then together") {
  RelayLab lab;
  auto& cluster = lab.cluster();
  cluster.start({"a", "b", "c", "d", "e"});
  live::start_counters(cluster, "a", "x", 200);
  live::require_quiet(cluster, 200);
  const Names two{"a", "d"};
  const Names other{"b", "c", "e"};
  lab.cut_between(two, other);
  live::require_quiet(cluster, two, 200);
  live::require_quiet(cluster, other, 200);
  live::start_counters(cluster, "d", "y", 20);
  live::start_counters(cluster, "e", "z", 20);
  lab.heal_between(two, other);
  live::require_quiet(cluster, 240);
}

}  // namespace faults_relay_test
