// The loop must never be kept for long: what a call asks of many children is worked off in slices.
#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

#include "core/protocol/hub_core.hpp"
#include "strategies/builtin.hpp"

namespace processhub::protocol::slices_test {
namespace {

constexpr std::size_t kSlice = 100;
constexpr std::size_t kChildren = 5'000;

StrategySet strategies() {
  auto built = builtin_strategies().build(HubConfig{});
  return std::move(*built);
}

/// A core without a network; it counts the effects of the longest run().
struct Driven {
  Driven() { core.start(now, fx); }

  void run() {
    fx.clear();
    more = core.run(now, fx, kSlice);
    core.flush(now, fx);
    changes = core.take_registry_changes().size();
    longest = std::max({longest, fx.size(), changes});
    now += std::chrono::microseconds(100);
  }
  /// Runs until there is nothing to do, and answers for the workers.
  std::size_t settle() {
    std::size_t runs = 0;
    for (more = true; more || !workers.empty(); ++runs) {
      run();
      for (auto& e : std::exchange(workers, {})) core.step(now, std::move(e), fx);
      take_effects();
    }
    return runs;
  }
  void take_effects() {
    for (auto& e : fx) {
      if (const auto* start = std::get_if<effect::StartWorker>(&e))
        workers.emplace_back(event::WorkerUp{start->serial});
      if (const auto* stop = std::get_if<effect::StopWorker>(&e))
        workers.emplace_back(event::WorkerDown{stop->serial, WorkerExit::stopped, {}, {}});
      if (auto* done = std::get_if<effect::CompleteStart>(&e)) started = std::move(done->result);
      if (auto* done = std::get_if<effect::CompleteStop>(&e)) stopped = std::move(done->result);
    }
    fx.clear();
  }

  Time now{std::chrono::seconds(1)};
  Effects fx{};
  std::vector<Event> workers{};  // what the workers will say
  Result<StartResult> started{StartResult{}};
  Result<StopResult> stopped{StopResult{}};
  std::size_t longest = 0;
  std::size_t changes = 0;
  bool more = true;
  HubCore core{{NodeId::of("alone", 1), "", "", 1}, HubConfig{}, strategies()};
};

std::vector<ChildSpec> specs() {
  std::vector<ChildSpec> out(kChildren);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].id = "child-" + std::to_string(i);
    out[i].type = "any";
    out[i].tag = "all";
  }
  return out;
}

TEST_CASE("slices: thousands of starts and stops in one call never make one run() do more than its share") {
  Driven hub;
  hub.settle();
  hub.longest = 0;
  hub.core.step(hub.now, event::StartChildren{1, specs(), {}}, hub.fx);
  CHECK(hub.settle() >= kChildren / kSlice);
  REQUIRE(hub.started);
  CHECK(hub.started->status == CallStatus::ok);
  CHECK(hub.started->children.size() == kChildren);
  CHECK(hub.started->children.back().instances.size() == 1);
  CHECK(hub.longest <= 3 * kSlice);  // begun, started and answered in the same run at most

  hub.longest = 0;
  hub.core.step(hub.now, event::StopChildren{2, event::Select::tag, {"all"}, {}}, hub.fx);
  CHECK(hub.settle() >= kChildren / kSlice);
  REQUIRE(hub.stopped);
  CHECK(hub.stopped->children.size() == kChildren);
  CHECK(hub.longest <= 3 * kSlice);
}

TEST_CASE("slices: a call that times out is undone in slices, too") {
  Driven hub;
  hub.settle();
  StartOptions options;
  options.timeout = std::chrono::milliseconds(50);
  hub.core.step(hub.now, event::StartChildren{1, specs(), options}, hub.fx);
  for (hub.more = true; hub.more;) hub.run();  // no worker ever comes up
  hub.longest = 0;
  hub.now += std::chrono::seconds(1);
  std::size_t runs = 0;
  for (hub.more = true; hub.more; ++runs) {
    hub.run();
    hub.take_effects();
  }
  CHECK(runs >= kChildren / kSlice);
  CHECK(hub.longest <= 3 * kSlice);
  REQUIRE(hub.started);
  CHECK(hub.started->status == CallStatus::failed);
  CHECK(hub.started->errors().size() == kChildren);
}

}  // namespace
}  // namespace processhub::protocol::slices_test
