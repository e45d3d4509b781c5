#include "tests/unit/runtime/worker_host_fixture.hpp"

namespace worker_host_stuck_test {

using namespace worker_host_test;

namespace {

struct Chatter {
  PROCESSHUB_FIELDS()
};

/// Hangs where its name says until the door opens.
class Hanger : public Worker {
 public:
  static void handlers(Handlers<Hanger>& h) {
    h.on<&Hanger::wait>().on<&Hanger::say>().on<&Hanger::chatter>();
  }
  Hanger(std::string where, std::shared_ptr<Log> log, std::shared_ptr<Door> door)
      : where_(std::move(where)), log_(std::move(log)), door_(std::move(door)) {}
  ~Hanger() override {
    if (where_ == "destructor") hang();
    log_->add("destroyed");
  }
  void on_start(StartReason) override {
    if (where_ == "on_start") hang();
  }
  void on_stop(StopReason) override {
    log_->add("on_stop");
    if (where_ == "on_stop") hang();
  }

 private:
  void hang() {
    log_->add("hanging");
    door_->pass();
    log_->add("came back");
  }
  Text wait(const Wait&) {
    hang();
    return Text{"late"};
  }
  Text say(const Say& m) { return Text{m.text}; }
  void chatter(const Chatter&) {
    hang();
    ctx().cast("other", Say{"from the grave"});
    ctx().call<Text>("other", Say{"from the grave"}, 1s, [](Result<Text>) {});
    ctx().after(0ms, [] {});
  }

  std::string where_;
  std::shared_ptr<Log> log_;
  std::shared_ptr<Door> door_;
};

struct Hangers : Hosted {
  Hangers() {
    config.pool_threads = 1;
    config.shutdown_timeout = 50ms;
    for (const auto* where : {"handler", "on_start", "on_stop", "destructor"}) {
      add<Hanger>(where, std::string(where), log, door);
    }
    add<Scribe>("scribe", log, door);
    events.routes = {{"other", 2}};
    run();
  }
};

constexpr Duration kShort = 30ms;

}  // namespace

TEST_CASE("a worker whose turn does not return is reported, ended and its pool thread replaced") {
  Hangers t;
  t.start_up(1, "handler", Executor::pooled, kShort);
  t.start_up(2, "scribe");
  const auto stuck = t.call(1, Wait{});
  REQUIRE(t.log->wait_for("hanging"));
  const auto waiting = t.call(1, Say{"left over"});
  const auto other = t.call(2, Say{"behind it on the only thread"});
  t.host->stop(1, StopReason::user);
  const auto down = t.events.wait_down(1);
  CHECK(down.exit == WorkerExit::stopped);
  CHECK(down.why == "did not stop within 30 ms");
  REQUIRE(down.leftovers.size() == 1);
  CHECK(down.leftovers[0].sink == waiting);
  CHECK(stuck->wait() == "stopped");
  CHECK(other->wait() == "ok");
  CHECK(t.events.reports_with("child 'handler-1'") == 1);
  CHECK(t.host->counters().stuck == 1);
  CHECK_FALSE(t.log->has("destroyed"));
  t.door->open();
  CHECK(t.log->wait_for("destroyed"));
  CHECK(stuck->times() == 1);
  CHECK(t.events.downs_of(1) == 1);
}

TEST_CASE("a dedicated worker that does not return is left behind") {
  Hangers t;
  t.start_up(1, "handler", Executor::dedicated, kShort);
  t.cast(1, Wait{});
  REQUIRE(t.log->wait_for("hanging"));
  t.host->stop(1, StopReason::move);
  CHECK(t.events.wait_down(1).why == "did not stop within 30 ms");
  t.door->open();
  CHECK(t.log->wait_for("destroyed"));
}

TEST_CASE("on_start, on_stop and the destructor have the shutdown time, too") {
  for (const std::string where : {"on_start", "on_stop", "destructor"}) {
    CAPTURE(where);
    Hangers t;
    t.start(1, where, Executor::pooled, kShort);
    if (where == "on_start") {
      REQUIRE(t.log->wait_for("hanging"));
    } else {
      REQUIRE(t.events.wait_up(1));
    }
    t.host->stop(1, StopReason::user);
    CHECK(t.events.wait_down(1).why == "did not stop within 30 ms");
    t.start_up(2, "scribe");
    t.door->open();
    CHECK(t.log->wait_for("destroyed"));
    CHECK(t.events.downs_of(1) == 1);
    CHECK(t.events.ups() == (where == "on_start" ? 1 : 2));
  }
}

TEST_CASE("a worker that came back too late reaches nobody") {
  Hangers t;
  t.start_up(1, "handler", Executor::pooled, kShort);
  t.start_up(2, "scribe");
  t.cast(1, Chatter{});
  REQUIRE(t.log->wait_for("hanging"));
  t.host->stop(1, StopReason::user);
  t.events.wait_down(1);
  t.door->open();
  REQUIRE(t.log->wait_for("destroyed"));
  CHECK(t.call(2, Say{"last"})->wait() == "ok");
  CHECK_FALSE(t.log->has("from the grave"));
}

TEST_CASE("a host is destroyed although a worker does not return, which then finds nothing to harm") {
  for (const auto executor : {Executor::pooled, Executor::dedicated}) {
    const auto door = std::make_shared<Door>();
    const auto log = std::make_shared<Log>();
    {
      Hangers t;
      t.add<Hanger>("held", std::string("handler"), log, door);
      t.start_up(1, "held", executor);
      const auto call = t.call(1, Chatter{});
      REQUIRE(log->wait_for("hanging"));
      t.host.reset();
      CHECK(t.events.wait_report("did not return while its hub was being destroyed"));
      CHECK(call->wait() == "stopped");
    }
    CHECK_FALSE(log->has("destroyed"));
    door->open();
    CHECK(log->wait_for("destroyed"));
  }
}

TEST_CASE("a pooled handler that runs for over a second is reported once, and nothing else happens to it") {
  Hangers t;
  t.start_up(1, "handler");
  const auto call = t.call(1, Wait{});
  CHECK(t.events.wait_report(
      "child 'handler-1' (type handler, serial 1) has been in one handler for over 1000 ms"));
  t.door->open();
  CHECK(call->wait() == "ok");
  CHECK(t.events.reports_with("handler-1") == 1);
  CHECK(t.host->counters().stuck == 1);
  CHECK(t.events.downs_of(1) == 0);
}

}  // namespace worker_host_stuck_test
