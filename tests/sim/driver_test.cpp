// How the simulator drives a core, shown with a tiny one.
#include <doctest/doctest.h>

#include <string>

#include "tests/sim/tiny_core.hpp"
#include "transport/sim/quiet_checks.hpp"
#include "transport/sim/safety_checks.hpp"
#include "transport/sim/sim_cluster.hpp"
#include "transport/sim/trace.hpp"

namespace driver_test {

using namespace processhub;
using namespace processhub::sim;
using namespace std::chrono_literals;

namespace {

struct One {
  explicit One(CoreFactory make_core = tiny_cores(), Faults faults = {})
      : cluster({1, faults, {}, std::move(make_core), 1h}), safety(cluster), quiet(cluster, safety) {
    cluster.add_node("a", {});
  }
  const Operation& start(const std::string& id, const std::string& type = "counter") {
    ChildSpec spec;
    spec.id = id;
    spec.type = type;
    return cluster.start("a", {spec});
  }
  std::size_t running() {
    std::size_t up = 0;
    cluster.node("a").workers().each([&](const Activation&, bool is_up) { up += is_up ? 1 : 0; });
    return up;
  }

  SimCluster cluster;
  SafetyChecks safety;
  QuietChecks quiet;
};

/// Remembers when it was asked to do what.
class ProbeCore : public CorePort {
 public:
  explicit ProbeCore(std::vector<Time>& turns) : turns_(turns) {}
  void start(Time now, protocol::Effects&) override { next_ = now + 100ms; }
  void step(Time, protocol::Event, protocol::Effects&) override {}
  bool run(Time now, protocol::Effects&) override {
    turns_.push_back(now);
    if (now >= next_) next_ += 100ms;
    return false;
  }
  void flush(Time, protocol::Effects&) override {}
  Time next_deadline() const override { return next_; }
  std::vector<protocol::RegistryChange> take_registry_changes() override { return {}; }
  std::optional<protocol::ClusterSnapshot> take_cluster_change() override { return {}; }

 private:
  std::vector<Time>& turns_;
  Time next_{};
};

}  // namespace

TEST_CASE("a started child's worker comes up and the answer is kept") {
  One one;
  const auto& started = one.start("x");
  one.cluster.run_for(10ms);
  CHECK(started.ok());
  CHECK(one.running() == 1);
  REQUIRE(one.cluster.workers().activations.size() == 1);
  CHECK(one.cluster.workers().activations[0].uid);
  CHECK(one.quiet.settle(1s));
}

TEST_CASE("workers count, crash, finish and refuse as their messages say") {
  One one;
  one.start("x");
  one.cluster.run_for(10ms);
  const auto call = [&](const std::string& message, const std::string& body) {
    const auto& op = one.cluster.call("a", "x", message, body, 1s);
    one.cluster.run_for(10ms);
    return op.ok() ? op.answer : std::string(to_string(op.error ? op.error->code : ErrorCode::timeout));
  };
  CHECK(call("add", "5") == "5");
  CHECK(call("add", "2 #7") == "7");
  CHECK(call("get", "") == "7");
  CHECK(call("mute", "") == "no_reply");
  CHECK(call("dance", "") == "no_such_message");
  CHECK(call("crash", "") == "worker_crashed");
  CHECK(one.running() == 0);
  REQUIRE(one.cluster.workers().handled.size() == 1);
  CHECK(one.cluster.workers().handled[0].number == 7);
}

TEST_CASE("types decide how a worker starts and ends") {
  One one;
  one.start("broken", "broken");
  one.start("finisher", "finisher");
  one.start("counter");
  one.cluster.run_for(10ms);
  CHECK(one.running() == 2);
  one.cluster.run_for(1s);
  CHECK(one.running() == 1);
  CHECK(one.cluster.workers().activations[0].exit == protocol::WorkerExit::start_failed);
  CHECK(one.cluster.workers().activations[1].exit == protocol::WorkerExit::finished);
}

TEST_CASE("a core gets its turn when its deadline comes, on its machine's own clock") {
  std::vector<Time> turns;
  One one(
      [&turns](const protocol::Identity&, const HubConfig&) { return std::make_unique<ProbeCore>(turns); });
  one.cluster.run_for(1'050ms);
  REQUIRE(turns.size() == 11);
  const auto offset = one.cluster.node("a").clock_offset();
  CHECK(offset > 0s);
  CHECK(turns[5] - offset >= 500ms);
  CHECK(turns[5] - offset < 501ms);
}

TEST_CASE("a paused node does nothing and catches up in one go") {
  std::vector<Time> turns;
  One one(
      [&turns](const protocol::Identity&, const HubConfig&) { return std::make_unique<ProbeCore>(turns); });
  one.cluster.run_for(250ms);
  const auto before = turns.size();
  one.cluster.pause("a");
  one.cluster.run_for(10s);
  CHECK(turns.size() == before);
  one.cluster.resume("a");
  one.cluster.run_for(1ms);
  CHECK(turns.size() > before);
  CHECK(one.cluster.node("a").paused_for() == 10s);
}

TEST_CASE("a pause holds workers too, and their messages") {
  One one;
  one.start("x");
  one.cluster.run_for(10ms);
  const auto& op = one.cluster.call("a", "x", "add", "1", 1s);
  one.cluster.pause("a");
  one.cluster.run_for(5s);
  CHECK_FALSE(op.done());
  one.cluster.resume("a");
  one.cluster.run_for(10ms);
  CHECK(op.ok());
}

TEST_CASE("a crash ends the workers, and a restart is a new incarnation with nothing left of the old") {
  One one;
  one.start("x");
  one.cluster.run_for(10ms);
  const auto first = one.cluster.node("a").id();
  const auto& open = one.cluster.call("a", "x", "get", "", 1s);
  one.cluster.crash("a");
  CHECK(open.node_lost);
  CHECK(one.cluster.workers().activations[0].ended);
  one.cluster.restart("a");
  one.cluster.run_for(10ms);
  CHECK(one.cluster.node("a").id().incarnation() == first.incarnation() + 1);
  CHECK(one.cluster.node("a").registry().empty());
  CHECK(one.running() == 0);
}

TEST_CASE("the same seed gives the same trace") {
  const auto play = [](std::uint64_t seed) {
    SimCluster cluster({seed, {}, {}, tiny_cores(), 1s});
    TraceTail tail(10);
    sim::Trace trace(cluster, [&tail](const std::string& line) { tail.add(line); });
    cluster.add_node("a", {});
    ChildSpec spec;
    spec.id = "x";
    spec.type = "counter";
    cluster.start("a", {spec});
    cluster.run_for(10ms);
    return std::pair(tail.hash(), tail.text());
  };
  CHECK(play(5) == play(5));
  CHECK(play(5).first != play(6).first);
  CHECK(play(5).second.find("start worker 1 x") != std::string::npos);
}

}  // namespace driver_test
