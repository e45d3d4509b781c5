// The test kit: users' worker classes really run, as they would in a program.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "tests/sim/testing_kit_workers.hpp"

namespace testing_kit_workers_test {

using namespace kit_test;
using ph::ErrorCode;
using ph::testing::Cluster;

namespace {

/// Nodes a, b and c, settled.
struct Three {
  explicit Three(ph::testing::ClusterOptions how = options()) : cluster(std::move(how)) {
    cluster.add_nodes({"a", "b", "c"});
    REQUIRE(cluster.settle());
  }
  void start(std::vector<ph::ChildSpec> specs) {
    auto started = cluster.start("a", std::move(specs));
    REQUIRE(started);
    REQUIRE(started->errors().empty());
  }
  Counter& counter_of(const std::string& id) {
    auto* found = cluster.worker<Counter>(id);
    REQUIRE(found != nullptr);
    return *found;
  }
  Cluster cluster;
};

class Watcher : public ph::Worker {
 public:
  void on_start(ph::StartReason) override {
    ctx().monitor("c1", [this](const ph::ChildNews& news) {
      std::string line(ph::to_string(news.state));
      if (news.node)
        line +=
            " on " + std::string(news.node.name()) + ", restarts " + std::to_string(news.generation.restarts);
      if (!news.why.empty()) line += ": " + news.why;
      heard.push_back(std::move(line));
    });
  }
  std::vector<std::string> heard{};
};

struct AskFor {
  std::string id{};
  bool retry = false;
  PROCESSHUB_FIELDS(id, retry)
};

class Asker : public ph::Worker {
 public:
  static void handlers(ph::Handlers<Asker>& h) { h.on<&Asker::ask>(); }

 private:
  ph::Task<ph::Result<Total>> ask(AskFor m) {
    co_return co_await ctx().call<Total>(m.id, Get{}, ph::CallOptions{.timeout = 8s, .retry = m.retry});
  }
};

}  // namespace

TEST_CASE("handlers of the user's class run, from any node, and the object can be looked at") {
  Three three;
  three.start({counter("c1", 5)});
  auto total = three.cluster.call<Total>("b", "c1", Add{2});
  REQUIRE(total);
  CHECK(total->total == 7);
  CHECK(three.cluster.cast("c", "c1", Add{10}));
  CHECK(three.cluster.run_until([&] { return three.counter_of("c1").total.total == 17; }, 1s));
  CHECK(three.counter_of("c1").role() == ph::Role::active);
  CHECK(three.cluster.worker<Ticker>("c1") == nullptr);
  CHECK(three.cluster.worker<Counter>("nobody") == nullptr);
  CHECK(three.cluster.check());
}

TEST_CASE("a broadcast reaches each child with the tag once") {
  Three three;
  std::vector<ph::ChildSpec> specs{counter("c1"), counter("c2"), counter("c3")};
  specs[0].tag = specs[2].tag = "odd";
  three.start(std::move(specs));
  CHECK(three.cluster.broadcast("b", "odd", Add{1}));
  three.cluster.run_for(1s);
  CHECK(three.counter_of("c1").total.total == 1);
  CHECK(three.counter_of("c2").total.total == 0);
  CHECK(three.counter_of("c3").total.total == 1);
}

TEST_CASE("an exception is a crash: the caller hears of it, the worker starts again from its args") {
  Three three;
  three.start({counter("c1", 5)});
  const auto where = three.cluster.runs_on("c1");
  REQUIRE(three.cluster.call<Total>("a", "c1", Add{2}));
  const auto broken = three.cluster.call<Total>("a", "c1", Break{});
  REQUIRE(!broken);
  CHECK(broken.error().code == ErrorCode::worker_crashed);
  CHECK(broken.error().message.find("it broke") != std::string::npos);
  REQUIRE(three.cluster.settle());
  CHECK(three.cluster.runs_on("c1") == where);
  CHECK(three.counter_of("c1").total.total == 5);
  CHECK(three.counter_of("c1").started_as == ph::StartReason::restart);
  CHECK(three.counter_of("c1").restarts() == 1);
  // No on_stop for a worker that crashed.
  CHECK(diary() == std::vector<std::string>{"c1@" + where.front() + " start first",
                                            "c1@" + where.front() + " start restart"});
}

TEST_CASE("a child that crashes too often is failed until it is restarted by hand") {
  auto how = options();
  how.config.max_restarts = 2;
  Three three(std::move(how));
  three.start({counter("c1")});
  for (int i = 0; i < 3; ++i) {
    CHECK(three.cluster.run_until([&] { return three.cluster.worker<Counter>("c1") != nullptr; }, 5s));
    REQUIRE(!three.cluster.call<Total>("a", "c1", Break{}));
  }
  REQUIRE(three.cluster.settle());
  CHECK(three.cluster.runs_on("c1").empty());
  CHECK(three.cluster.lookup("b", "c1")->failure.find("it broke") != std::string::npos);
  REQUIRE(three.cluster.restart_child("b", "c1"));
  REQUIRE(three.cluster.settle());
  CHECK(three.cluster.runs_on("c1").size() == 1);
}

TEST_CASE(
    "a child that runs is restarted by hand where it is: on_stop, its args, no crash, and no delay after "
    "one") {
  auto how = options();
  how.config.max_restarts = 2;
  how.config.restart_backoff = how.config.restart_backoff_max = 1h;
  Three three(std::move(how));
  three.start({counter("c1", 5)});
  const auto node = three.cluster.runs_on("c1").front();
  REQUIRE(three.cluster.call<Total>("a", "c1", Add{2}));
  for (int i = 0; i < 4; ++i) REQUIRE(three.cluster.restart_child(node, "c1"));
  CHECK(three.cluster.runs_on("c1") == std::vector<std::string>{node});
  CHECK(three.counter_of("c1").total.total == 5);
  CHECK(three.counter_of("c1").started_as == ph::StartReason::restart);
  CHECK(three.counter_of("c1").restarts() == 4);
  const auto lines = diary();
  REQUIRE(lines.size() == 9);
  CHECK(lines[1] == "c1@" + node + " stop restart");

  const auto elsewhere = three.cluster.restart_child(node == "a" ? "b" : "a", "c1");
  REQUIRE(!elsewhere);
  CHECK(elsewhere.error() == ph::Error{ErrorCode::moved, "'c1' runs on " + node});
  CHECK(three.cluster.restart_child("a", "nobody").error().code == ErrorCode::no_such_child);

  for (int i = 0; i < 2; ++i) REQUIRE(!three.cluster.call<Total>(node, "c1", Break{}));
  CHECK(three.cluster.worker<Counter>("c1") == nullptr);  // it waits for an hour
  REQUIRE(three.cluster.restart_child(node, "c1"));
  CHECK(three.counter_of("c1").total.total == 5);
  REQUIRE(three.cluster.settle());
  CHECK(three.cluster.check());
}

TEST_CASE("timers run in virtual time: an hour takes no hour") {
  Three three;
  three.start({{.id = "t", .type = "ticker"}});
  three.cluster.run_for(3s + 500ms);
  CHECK(three.cluster.worker<Ticker>("t")->ticks == 3);
  three.cluster.run_for(1h);
  CHECK(three.cluster.worker<Ticker>("t")->ticks == 5);  // it cancelled itself
  CHECK(three.cluster.worker<Ticker>("t")->hour_passed);
}

TEST_CASE("timers of a paused node wait, and the rhythm stays") {
  Three three;
  three.start({{.id = "t", .type = "ticker"}});
  const auto node = three.cluster.runs_on("t").front();
  three.cluster.run_for(1s + 500ms);
  REQUIRE(three.cluster.worker<Ticker>("t")->ticks == 1);
  three.cluster.pause(node);
  three.cluster.run_for(800ms);  // not long enough to be taken for dead
  CHECK(three.cluster.worker<Ticker>("t")->ticks == 1);
  three.cluster.resume(node);
  three.cluster.run_for(300ms);
  CHECK(three.cluster.worker<Ticker>("t")->ticks == 2);
}

TEST_CASE("a worker answers later: after a timer, or when another worker has answered") {
  Three three;
  three.start({counter("c1", 5), counter("c2", 30)});
  const auto sum = three.cluster.call<Total>("a", "c1", SumWith{"c2"});
  REQUIRE(sum);
  CHECK(sum->total == 35);
  const auto nobody = three.cluster.call<Total>("a", "c1", SumWith{"c9"});
  REQUIRE(!nobody);
  CHECK(nobody.error().code == ErrorCode::no_such_child);

  const auto later = three.cluster.begin_call<Total>("b", "c2", AddLater{1'500});
  three.cluster.run_for(1'400ms);
  CHECK(!later.ready());
  CHECK_THROWS_AS(later.result(), std::logic_error);
  three.cluster.run_for(200ms);
  REQUIRE(later.ready());
  CHECK(later.result()->total == 31);

  const auto never = three.cluster.call<Total>("a", "c1", Forget{});
  REQUIRE(!never);
  CHECK(never.error().code == ErrorCode::no_reply);
}

TEST_CASE("a worker's call that may be repeated outlives the node of the child, any other ends with it") {
  auto with_askers = options();
  with_askers.types.add<Asker>("asker");
  Three three(std::move(with_askers));
  three.start({counter("c1", 5)});
  const auto node = three.cluster.owner_of("c1");
  std::vector<std::string> askers;  // on the other nodes, whatever the hash says
  for (int i = 0; askers.size() < 2; ++i) {
    ph::ChildSpec asker;
    asker.id = "asker-" + std::to_string(i);
    asker.type = "asker";
    three.start({asker});
    if (three.cluster.owner_of(asker.id) != node) askers.push_back(asker.id);
  }
  const auto from = node == "a" ? "b" : "a";
  const auto once = three.cluster.begin_call<Total>(from, askers[0], AskFor{"c1", false}, 10s);
  const auto again = three.cluster.begin_call<Total>(from, askers[1], AskFor{"c1", true}, 10s);
  three.cluster.crash(node);
  three.cluster.run_for(10s);
  REQUIRE(once.ready());
  REQUIRE(!once.result());
  CHECK(ph::delivered(once.result().error().code) != ph::Delivered::yes);
  REQUIRE(again.ready());
  REQUIRE(again.result());
  CHECK(again.result()->total == 5);
}

TEST_CASE("a reply that is kept ends with its worker") {
  Three three;
  three.start({counter("c1"), counter("c2")});
  const auto crashed = three.cluster.begin_call<Total>("a", "c1", AddLater{60'000}, 120s);
  const auto stopped = three.cluster.begin_call<Total>("a", "c2", AddLater{60'000}, 120s);
  three.cluster.run_for(100ms);
  REQUIRE(!three.cluster.call<Total>("b", "c1", Break{}));
  REQUIRE(three.cluster.stop("b", {"c2"}));
  three.cluster.run_for(1s);
  REQUIRE(crashed.ready());
  CHECK(crashed.result().error().code == ErrorCode::worker_crashed);
  REQUIRE(stopped.ready());
  CHECK(stopped.result().error().code == ErrorCode::stopped);
}

TEST_CASE("a child moves to the node that joins, with on_stop there and on_start here") {
  Three three;
  std::vector<ph::ChildSpec> specs;
  for (int i = 0; i < 20; ++i) specs.push_back(counter("c" + std::to_string(i)));
  three.start(std::move(specs));
  three.cluster.add_node("d");
  REQUIRE(three.cluster.settle());
  const auto moved = three.cluster.children_on("d");
  REQUIRE(!moved.empty());
  CHECK(moved.size() < 20);
  for (const auto& id : moved) {
    CAPTURE(id);
    CHECK(three.cluster.owner_of(id) == "d");
    CHECK(three.counter_of(id).started_as == ph::StartReason::move);
    CHECK(three.cluster.call<Total>("a", id, Add{1}));
  }
  diary().clear();
  REQUIRE(three.cluster.leave("d"));
  CHECK(!three.cluster.runs("d"));
  REQUIRE(three.cluster.settle());
  for (const auto& id : moved) {
    CHECK(std::count(diary().begin(), diary().end(), id + "@d stop move") == 1);
    CHECK(three.cluster.runs_on(id) == std::vector{three.cluster.owner_of(id)});
  }
}

TEST_CASE("the end of a child: stopped by hand it hears of it, and stop_self removes it for good") {
  Three three;
  three.start({counter("c1"), counter("c2")});
  const auto node = three.cluster.runs_on("c1").front();
  diary().clear();
  auto stopped = three.cluster.stop("b", {"c1"});
  REQUIRE(stopped);
  CHECK(stopped->errors().empty());
  CHECK(diary() == std::vector<std::string>{"c1@" + node + " stop user"});
  CHECK(three.cluster.call<Total>("a", "c2", Bye{}).ok() == false);  // void has no total
  REQUIRE(three.cluster.settle());
  CHECK(!three.cluster.lookup("a", "c2"));
  CHECK(three.cluster.list("c").empty());
}

TEST_CASE("what workers still hold when the process or the whole cluster goes is let go quietly") {
  std::vector<ph::testing::Pending<Total>> open;
  {
    Three three;
    three.start({counter("c1"), counter("c2"), counter("c3")});
    for (const auto* id : {"c1", "c2", "c3"})
      open.push_back(three.cluster.begin_call<Total>("a", id, AddLater{60'000}, 120s));
    three.cluster.run_for(100ms);
    const auto node = three.cluster.runs_on("c1").front();
    three.cluster.crash(node);
    CHECK(three.cluster.children_on(node).empty());
    three.cluster.restart(node);
    CHECK(three.cluster.settle());
  }
  CHECK(open.size() == 3);
}

TEST_CASE("a worker that asks for things in its destructor does no harm, however it ends") {
  Three three;
  three.start({counter("c1"), {.id = "x1", .type = "clinging"}, {.id = "x2", .type = "clinging"}});
  three.cluster.run_for(10s + 500ms);
  CHECK(three.counter_of("c1").total.total == 20);
  REQUIRE(three.cluster.stop("a", {"x1"}));
  three.cluster.run_for(100ms);
  CHECK(three.counter_of("c1").total.total == 21);  // its last word
  const auto node = three.cluster.runs_on("x2").front();
  REQUIRE(three.cluster.runs_on("c1").front() != node);
  three.cluster.crash(node);
  three.cluster.run_for(100ms);
  CHECK(three.counter_of("c1").total.total == 21);  // a killed process says nothing
  CHECK(three.cluster.settle());
}

TEST_CASE("a cast that no handler takes is a dead letter") {
  Three three;
  three.start({counter("c1")});
  const auto node = three.cluster.runs_on("c1").front();
  const auto before = three.cluster.stats(node).dead_letters;
  CHECK(three.cluster.cast("a", "c1", Unheard{}));
  three.cluster.run_for(1s);
  CHECK(three.cluster.stats(node).dead_letters == before + 1);
  const auto asked = three.cluster.call<Total>("a", "c1", Unheard{});
  REQUIRE(!asked);
  CHECK(asked.error().code == ErrorCode::no_such_message);
}

TEST_CASE("full mailboxes refuse or drop, as configured") {
  for (const std::string policy : {"reject", "drop_oldest"}) {
    CAPTURE(policy);
    auto how = options();
    how.config.mailbox_limit = 2;
    how.config.mailbox_policy = policy;
    how.faults = "worker_turn_max=20ms";
    Three three(std::move(how));
    three.start({counter("c1")});
    std::vector<ph::testing::Pending<Total>> calls;
    for (int i = 0; i < 10; ++i)
      calls.push_back(three.cluster.begin_call<Total>(three.cluster.runs_on("c1").front(), "c1", Add{1}));
    three.cluster.run_for(1s);
    int refused = 0;
    for (const auto& call : calls)
      refused += !call.result() && call.result().error().code == ErrorCode::overloaded ? 1 : 0;
    CHECK(refused == 8);
    CHECK(calls.back().result().ok() == (policy == "drop_oldest"));
    CHECK(calls.front().result().ok() == (policy == "reject"));
  }
}

TEST_CASE("faults can strike the workers themselves") {
  auto how = options();
  how.faults = "worker_crash=1";
  Three three(std::move(how));
  three.start({counter("c1")});
  const auto asked = three.cluster.call<Total>("a", "c1", Get{});
  REQUIRE(!asked);
  CHECK(asked.error().code == ErrorCode::worker_crashed);
  three.cluster.faults("worker_crash=0");
  REQUIRE(three.cluster.settle());
  CHECK(three.cluster.call<Total>("a", "c1", Get{}));
}

TEST_CASE(
    "a worker that monitors a child is told of its start, move, crash, takeover and stop, wherever it "
    "moves") {
  auto how = options();
  how.config.migration.name = "hot_swap";
  how.types.add<Watcher>("watcher");
  Three three(std::move(how));
  const auto bring = [&](const std::string& id, const std::string& node) {
    if (three.cluster.runs_on(id) != std::vector<std::string>{node})
      REQUIRE(three.cluster.migrate("a", id, node));
    REQUIRE(three.cluster.settle());
    REQUIRE(three.cluster.runs_on(id) == std::vector<std::string>{node});
  };
  const auto heard = [&](const std::string& line) {
    return three.cluster.run_until(
        [&] {
          const auto* watcher = three.cluster.worker<Watcher>("w");
          return watcher != nullptr && !watcher->heard.empty() && watcher->heard.back() == line;
        },
        20s);
  };
  three.start({{.id = "w", .type = "watcher"}});
  bring("w", "a");
  CHECK(heard("gone"));
  three.start({counter("c1")});
  bring("c1", "b");
  CHECK(heard("running on b, restarts 0"));
  REQUIRE(!three.cluster.call<Total>("a", "c1", Break{}));
  CHECK(heard("running on b, restarts 1"));
  bring("c1", "c");
  CHECK(heard("running on c, restarts 0"));
  bring("c1", "b");
  CHECK(heard("running on b, restarts 0"));
  bring("w", "c");  // it monitors anew, and hears at once how things are
  CHECK(three.cluster.worker<Watcher>("w")->heard == std::vector<std::string>{"running on b, restarts 0"});
  three.cluster.crash("b");
  REQUIRE(three.cluster.settle());
  CHECK(heard("running on " + three.cluster.runs_on("c1").front() + ", restarts 0"));
  const auto& lines = three.cluster.worker<Watcher>("w")->heard;
  CHECK(std::count(lines.begin(), lines.end(), "absent") == 1);
  REQUIRE(three.cluster.stop("a", {"c1"}));
  CHECK(heard("gone"));
  CHECK(three.cluster.check());
}

}  // namespace testing_kit_workers_test
