// I9: who joins takes its share and nothing else moves; who leaves hands over what it had and nothing else
// moves.
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "transport/sim/quiet_checks.hpp"
#include "transport/sim/safety_checks.hpp"
#include "transport/sim/sim_cluster.hpp"

namespace movement_test {

using namespace processhub;
using namespace processhub::sim;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kChildren = 600;

struct Settled {
  explicit Settled(int nodes) : cluster({7, {}, {}, {}, 0s}), safety(cluster), quiet(cluster, safety) {
    for (int i = 0; i < nodes; ++i) cluster.add_node(std::string(1, static_cast<char>('a' + i)), {"a"});
    REQUIRE(quiet.settle(20s));
    std::vector<ChildSpec> specs(kChildren);
    for (std::size_t i = 0; i < kChildren; ++i) {
      specs[i].id = "x" + std::to_string(i);
      specs[i].type = "counter";
    }
    const auto& started = cluster.start("a", std::move(specs));
    REQUIRE(cluster.run_until([&] { return started.done(); }, 20s));
    REQUIRE(started.started.status == CallStatus::ok);
    settle();
  }
  void settle() {
    const bool at_rest = quiet.settle(30s);
    for (const auto& violation : cluster.violations())
      FAIL_CHECK(violation.invariant << ": " << violation.what);
    REQUIRE(at_rest);
  }
  std::map<std::string, std::string> placement() {
    std::map<std::string, std::string> out;
    for (const auto* node : cluster.running_nodes()) {
      node->workers().each([&](const Activation& a, bool) { out[a.id] = node->name(); });
    }
    return out;
  }

  SimCluster cluster;
  SafetyChecks safety;
  QuietChecks quiet;
};

}  // namespace

TEST_CASE("a joining node takes about its share, and every move goes to it") {
  for (const int nodes : {2, 4, 6}) {
    CAPTURE(nodes);
    Settled s(nodes);
    const auto before = s.placement();
    const auto activations = s.cluster.workers().activations.size();
    s.cluster.add_node("z", {"a"});
    s.settle();
    std::size_t moved = 0;
    for (const auto& [id, node] : s.placement()) {
      if (node == before.at(id)) continue;
      ++moved;
      CHECK(node == "z");
    }
    const double share = static_cast<double>(kChildren) / (nodes + 1);
    CHECK(static_cast<double>(moved) > 0.6 * share);
    CHECK(static_cast<double>(moved) < 1.4 * share);
    CHECK(s.cluster.workers().activations.size() == activations + moved);
  }
}

TEST_CASE("a node that leaves or dies hands over what it had and nothing else moves") {
  for (const bool graceful : {true, false}) {
    CAPTURE(graceful);
    Settled s(4);
    const auto before = s.placement();
    const auto activations = s.cluster.workers().activations.size();
    if (graceful) {
      const auto& left = s.cluster.leave("c");
      REQUIRE(s.cluster.run_until([&] { return left.done(); }, 20s));
    } else {
      s.cluster.crash("c");
    }
    s.settle();
    std::size_t owned = 0;
    const auto after = s.placement();
    for (const auto& [id, node] : before) {
      owned += node == "c" ? 1 : 0;
      if (node != "c") CHECK(after.at(id) == node);
    }
    CHECK(owned > 0);
    CHECK(after.size() == kChildren);
    CHECK(s.cluster.workers().activations.size() == activations + owned);
  }
}

}  // namespace movement_test
