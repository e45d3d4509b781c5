// Large messages on narrow lines: they arrive whole, and nobody takes the other for dead meanwhile.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "transport/sim/quiet_checks.hpp"
#include "transport/sim/safety_checks.hpp"
#include "transport/sim/sim_cluster.hpp"

namespace narrow_line_test {

using namespace processhub;
using namespace processhub::sim;
using namespace std::chrono_literals;
namespace effect = processhub::protocol::effect;

namespace {

struct Seen final : ClusterObserver {
  std::string body{};
  std::size_t whole = 0;
  std::size_t suspicions = 0;
  void on_effect(const SimNode&, const protocol::Effect& e) override {
    if (const auto* post = std::get_if<effect::Post>(&e)) whole += post->message.body == body ? 1 : 0;
    const auto* hook = std::get_if<effect::RunHook>(&e);
    if (hook != nullptr) suspicions += std::holds_alternative<hook::NodeSuspected>(hook->event) ? 1 : 0;
  }
};

}  // namespace

TEST_CASE(
    "large messages on narrow lines: they arrive whole, and no node is suspected, with or without gossip") {
  for (const char* synchronization : {"pubsub", "gossip"}) {
    for (const std::uint64_t bandwidth : {400'000U, 2'000'000U}) {
      CAPTURE(synchronization);
      CAPTURE(bandwidth);
      ClusterOptions options;
      options.seed = 5;
      options.config.hub_id = "narrow";
      options.config.synchronization.name = synchronization;
      options.faults.delay_min = 2ms;
      options.faults.delay_max = 10ms;
      SimCluster cluster(options);
      SafetyChecks safety(cluster);
      QuietChecks quiet(cluster, safety);
      for (const char* name : {"a", "b", "c"}) cluster.add_node(name, {"a", "b"});
      REQUIRE(quiet.settle(20s));
      const auto& started = cluster.start("a", {{.id = "x", .type = "counter"}});
      REQUIRE(cluster.run_until([&] { return started.done(); }, 20s));
      REQUIRE(quiet.settle(20s));

      Seen seen;
      seen.body = "1 " + std::string(bandwidth * 6, 'x');  // six seconds of the line
      cluster.observe(seen);
      cluster.faults().bandwidth = bandwidth;
      std::vector<const Operation*> calls;
      for (const auto* node : cluster.running_nodes()) {
        calls.push_back(&cluster.call(node->name(), "x", "add", seen.body, 60s));
        calls.push_back(&cluster.call(node->name(), "x", "add", "1", 60s));
      }
      CHECK(cluster.run_until(
          [&] { return std::all_of(calls.begin(), calls.end(), [](const auto* c) { return c->done(); }); },
          60s));
      for (const auto* call : calls) CHECK_MESSAGE(call->ok(), call->error.value_or(Error{}).message);
      CHECK(seen.whole == 3);
      CHECK(seen.suspicions == 0);
      CHECK(cluster.violations().empty());
    }
  }
}

}  // namespace narrow_line_test
