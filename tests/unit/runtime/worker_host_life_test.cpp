#include "tests/unit/runtime/worker_host_fixture.hpp"

namespace worker_host_life_test {

using namespace worker_host_test;

namespace {

class BadBirth : public Worker {
 public:
  static void handlers(Handlers<BadBirth>&) {}
  explicit BadBirth(bool in_constructor) {
    if (in_constructor) throw std::runtime_error("no birth");
  }
  void on_start(StartReason) override { throw std::runtime_error("no start"); }
};

struct Who {
  PROCESSHUB_FIELDS()
};

/// Ends itself in the way the message says, and tells who it is.
class Ender : public Worker {
 public:
  static void handlers(Handlers<Ender>& h) { h.on<&Ender::say>().on<&Ender::who>(); }
  explicit Ender(std::shared_ptr<Log> log) : log_(std::move(log)) {}
  void on_stop(StopReason reason) override { log_->add("stop:" + std::string(to_string(reason))); }

 private:
  void say(const Say& m) {
    log_->add(m.text);
    if (m.text == "finish") ctx().finish();
    if (m.text == "stop_self") ctx().stop_self();
  }
  Text who(const Who&) {
    return Text{ctx().id() + " " + ctx().node().str() + " " + ctx().generation().str() + " " +
                std::string(to_string(ctx().role())) + " " + ctx().hub_id()};
  }
  std::shared_ptr<Log> log_;
};

class BadStop : public Worker {
 public:
  static void handlers(Handlers<BadStop>&) {}
  void on_stop(StopReason) override { throw std::runtime_error("no end"); }
};

struct Scribes : Hosted {
  Scribes() {
    add<Scribe>("scribe", log, door);
    add<Ender>("ender", log);
    add<BadBirth>("bad_constructor", true);
    add<BadBirth>("bad_start", false);
    add<BadStop>("bad_stop");
  }
};

}  // namespace

TEST_CASE("a worker is told why it starts and stops, and ends after on_stop") {
  for (const auto executor : {Executor::pooled, Executor::dedicated}) {
    Scribes t;
    t.run();
    t.start_up(1, "scribe", executor);
    CHECK(t.call(1, Say{"hello"})->wait() == "ok");
    t.host->stop(1, StopReason::conflict);
    const auto down = t.events.wait_down(1);
    CHECK(down.serial == 1);
    CHECK(down.exit == WorkerExit::stopped);
    CHECK(down.why == "");
    CHECK(t.log->lines() == std::vector<std::string>{"start:first", "hello", "stop:conflict", "destroyed"});
    CHECK_FALSE(t.cast(1, Say{"late"}));
  }
}

TEST_CASE("a worker knows who and where it is") {
  Scribes t;
  t.run();
  t.start_up(4, "ender");
  const auto answer = t.call(4, Who{});
  REQUIRE(answer->wait() == "ok");
  CHECK(decode<Text>(*answer->answer()).value().text == "ender-4 node-a/7 3.1@node-a/7 active test-hub");
}

TEST_CASE("a worker of unknown type fails to start with a text that names type and node") {
  Scribes t;
  t.run();
  t.start(1, "nonsense");
  const auto down = t.events.wait_down(1);
  CHECK(down.exit == WorkerExit::start_failed);
  CHECK(down.why == "worker type 'nonsense' is not registered on node node-a");
  CHECK(t.events.ups() == 0);
}

TEST_CASE("an exception in the constructor or in on_start is a failed start") {
  Scribes t;
  t.run();
  t.start(1, "bad_constructor");
  t.start(2, "bad_start", Executor::dedicated);
  CHECK(t.events.wait_down(1).why == "no birth");
  const auto down = t.events.wait_down(2);
  CHECK(down.exit == WorkerExit::start_failed);
  CHECK(down.why == "no start");
  CHECK(t.events.ups() == 0);
}

TEST_CASE("messages posted before the worker is up wait for it, in order") {
  Scribes t;
  t.run();
  t.start(1, "scribe");
  for (int i = 0; i < 20; ++i) t.post(1, Say{std::to_string(i)});
  REQUIRE(t.log->wait_for("19"));
  auto lines = t.log->lines();
  REQUIRE(lines.size() == 21);
  CHECK(lines[0] == "start:first");
  for (int i = 0; i < 20; ++i) CHECK(lines[static_cast<std::size_t>(i) + 1] == std::to_string(i));
}

TEST_CASE(
    "a crash ends the call, destroys the object without on_stop and hands back what was not delivered") {
  for (const auto executor : {Executor::pooled, Executor::dedicated}) {
    Scribes t;
    t.run();
    t.start_up(1, "scribe", executor);
    t.cast(1, Wait{});
    REQUIRE(t.log->wait_for("waiting"));
    const auto crash = t.call(1, Throw{});
    const auto after = t.call(1, Say{"never said"});
    t.post(1, Say{"posted"}, 42);
    t.door->open();
    CHECK(crash->wait() == "worker_crashed");
    CHECK(crash->answer().error().message.find("asked to throw") != std::string::npos);
    auto down = t.events.wait_down(1);
    CHECK(down.exit == WorkerExit::crashed);
    CHECK(down.why == "asked to throw");
    REQUIRE(down.leftovers.size() == 2);
    CHECK(down.leftovers[0].message == "say");
    CHECK(down.leftovers[0].sink == after);
    CHECK(down.leftovers[1].reply.token == 42);
    CHECK(decode<Say>(down.leftovers[1].body).value().text == "posted");
    CHECK(after->times() == 0);
    CHECK(t.log->lines() == std::vector<std::string>{"start:first", "waiting", "waited", "destroyed"});
    CHECK(t.host->counters().crashes == 1);
  }
}

TEST_CASE("a stop lets the present message end, then runs on_stop and hands back the rest") {
  Scribes t;
  t.run();
  t.start_up(1, "scribe");
  const auto first = t.call(1, Wait{});
  REQUIRE(t.log->wait_for("waiting"));
  CHECK(t.cast(1, Say{"left over"}));
  t.host->stop(1, StopReason::move);
  t.host->stop(1, StopReason::user);  // the first one counts
  CHECK_FALSE(t.cast(1, Say{"refused"}));
  t.post(1, Say{"posted while stopping"});
  t.door->open();
  CHECK(first->wait() == "ok");
  const auto down = t.events.wait_down(1);
  CHECK(down.exit == WorkerExit::stopped);
  REQUIRE(down.leftovers.size() == 2);
  CHECK(decode<Say>(down.leftovers[0].body).value().text == "left over");
  CHECK(decode<Say>(down.leftovers[1].body).value().text == "posted while stopping");
  CHECK(t.log->lines() ==
        std::vector<std::string>{"start:first", "waiting", "waited", "stop:move", "destroyed"});
  CHECK(t.events.downs_of(1) == 1);
}

TEST_CASE("finish and stop_self end the worker after the present turn") {
  Scribes t;
  t.run();
  t.start_up(1, "ender");
  t.start_up(2, "ender", Executor::dedicated);
  t.cast(1, Say{"finish"});
  t.cast(2, Say{"stop_self"});
  CHECK(t.events.wait_down(1).exit == WorkerExit::finished);
  CHECK(t.events.wait_down(2).exit == WorkerExit::stop_self);
  CHECK(t.log->count("stop:user") == 2);
}

TEST_CASE("an exception in on_stop is told but the worker is stopped all the same") {
  Scribes t;
  t.run();
  t.start_up(1, "bad_stop");
  t.host->stop(1, StopReason::user);
  const auto down = t.events.wait_down(1);
  CHECK(down.exit == WorkerExit::stopped);
  CHECK(down.why == "on_stop threw: no end");
}

TEST_CASE("a worker stopped before it could start is never constructed") {
  Scribes t;
  t.run();
  t.host->close_gates();
  t.start(1, "scribe");
  t.post(1, Say{"left over"});
  t.host->stop(1, StopReason::user);
  const auto down = t.events.wait_down(1);
  CHECK(down.exit == WorkerExit::stopped);
  CHECK(down.leftovers.size() == 1);
  CHECK(t.log->lines().empty());
  CHECK(t.events.ups() == 0);
}

TEST_CASE("a message posted to a worker that is gone is given back") {
  Scribes t;
  t.run();
  t.start_up(1, "scribe");
  t.host->stop(1, StopReason::user);
  t.events.wait_down(1);
  CHECK_FALSE(t.post(1, Say{"call"}, 5));
  CHECK_FALSE(t.post(1, Say{"cast"}));
  CHECK(t.host->counters().dead_letters == 0);
}

TEST_CASE("destroying the host ends workers without on_stop and answers every waiting call") {
  Scribes t;
  t.run();
  t.start_up(1, "scribe");
  t.start_up(2, "scribe", Executor::dedicated);
  t.host->close_gates();
  t.post(1, Say{"waits"}, 9);
  t.post(2, Say{"waits"}, 10);
  t.host.reset();
  CHECK(t.events.wait_answer(9) == "stopped");
  CHECK(t.events.wait_answer(10) == "stopped");
  CHECK(t.log->lines() == std::vector<std::string>{"start:first", "start:first", "destroyed", "destroyed"});
}

TEST_CASE("100,000 workers start and stop") {
  Scribes t;
  t.run();
  constexpr std::uint64_t kWorkers = 100'000;
  protocol::effect::StartWorker start;
  start.spec = std::make_shared<protocol::SharedSpec>(ChildSpec{.id = "many", .type = "ender"});
  for (start.serial = 1; start.serial <= kWorkers; ++start.serial) t.host->start(start);
  CHECK(eventually([&] { return t.events.ups() == kWorkers; }));
  for (std::uint64_t serial = 1; serial <= kWorkers; ++serial) t.host->stop(serial, StopReason::shutdown);
  CHECK(eventually([&] { return t.events.downs() == kWorkers; }));
  CHECK(t.log->count("stop:shutdown") == kWorkers);
}

}  // namespace worker_host_life_test
