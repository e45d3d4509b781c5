#include <sstream>

#include "tests/unit/runtime/worker_host_fixture.hpp"

namespace worker_host_inline_test {

using namespace worker_host_test;

namespace {

struct Where {
  PROCESSHUB_FIELDS()
};
struct Slow {
  PROCESSHUB_FIELDS()
};
struct InlineThrow {
  PROCESSHUB_FIELDS()
};
struct InlineFinish {
  PROCESSHUB_FIELDS()
};

std::string thread_name() {
  std::ostringstream out;
  out << std::this_thread::get_id();
  return out.str();
}

/// Answers with the thread it runs on.
class Inliner : public Worker {
 public:
  static void handlers(Handlers<Inliner>& h) {
    h.on<&Inliner::where>(run_inline).on<&Inliner::slow>(run_inline).on<&Inliner::fail>(run_inline);
    h.on<&Inliner::finish>(run_inline).on<&Inliner::wait>().on<&Inliner::say>();
  }
  Inliner(std::shared_ptr<Log> log, std::shared_ptr<Door> door)
      : log_(std::move(log)), door_(std::move(door)) {}
  void on_stop(StopReason) override { log_->add("stopped on " + thread_name()); }

 private:
  Text where(const Where&) { return Text{thread_name()}; }
  Text slow(const Slow&) {
    const auto end = std::chrono::steady_clock::now() + 2ms;
    while (std::chrono::steady_clock::now() < end) {
    }
    return Text{thread_name()};
  }
  void fail(const InlineThrow&) { throw std::runtime_error("inline threw"); }
  void finish(const InlineFinish&) { ctx().finish(); }
  void wait(const Wait&) {
    log_->add("waiting");
    door_->pass();
  }
  Text say(const Say&) { return Text{thread_name()}; }

  std::shared_ptr<Log> log_;
  std::shared_ptr<Door> door_;
};

struct Inliners : Hosted {
  Inliners() {
    config.inline_limit = 10'000ms;  // tests that want it lower it: the machine may be slow
    add<Inliner>("inliner", log, door);
  }
  template <class M>
  std::string thread_of(const M& message, std::uint64_t serial = 1) {
    const auto caught = call(serial, message);
    if (caught->wait() != "ok") return "failed";
    return decode<Text>(*caught->answer()).value().text;
  }
  /// A worker that has just been told something may not be idle yet.
  void settle(std::uint64_t serial = 1) {
    REQUIRE(eventually([&] { return thread_of(Where{}, serial) == thread_name(); }));
  }
};

}  // namespace

TEST_CASE("an inline handler runs on the delivering thread when the worker is idle") {
  for (const auto executor : {Executor::pooled, Executor::dedicated}) {
    Inliners t;
    t.run();
    t.start_up(1, "inliner", executor);
    t.settle();
    CHECK(t.thread_of(Where{}) == thread_name());
    t.post(1, Where{}, 3);
    CHECK(t.events.wait_answer(3) == "ok");
    CHECK(t.thread_of(Say{}) != thread_name());
  }
}

TEST_CASE("an inline handler queues behind what the worker is doing") {
  Inliners t;
  t.run();
  t.start_up(1, "inliner");
  t.settle();
  t.cast(1, Wait{});
  REQUIRE(t.log->wait_for("waiting"));
  const auto queued = t.call(1, Where{});
  CHECK(queued->times() == 0);
  t.door->open();
  REQUIRE(queued->wait() == "ok");
  CHECK(decode<Text>(*queued->answer()).value().text != thread_name());
}

TEST_CASE("a child whose inline handler is too slow twice in a row is reported and queues from then on") {
  Inliners t;
  t.config.inline_limit = 1ms;
  t.run();
  t.start_up(1, "inliner");
  t.settle();
  CHECK(t.thread_of(Slow{}) == thread_name());
  t.thread_of(Slow{});
  CHECK(t.events.wait_report("child 'inliner-1' (type inliner, serial 1): inline handler 'slow' took"));
  CHECK(t.host->counters().slow_inline == 2);
  for (int i = 0; i < 20; ++i) CHECK(t.thread_of(Where{}) != thread_name());
  CHECK(t.events.reports_with("inline handler") == 1);
}

TEST_CASE("an exception in an inline handler crashes the worker on its own executor") {
  Inliners t;
  t.run();
  t.start_up(1, "inliner");
  t.settle();
  CHECK(t.call(1, InlineThrow{})->wait() == "worker_crashed");
  const auto down = t.events.wait_down(1);
  CHECK(down.exit == WorkerExit::crashed);
  CHECK(down.why == "inline threw");
}

TEST_CASE("a worker that ends in an inline handler has its on_stop on its own executor") {
  Inliners t;
  t.run();
  t.start_up(1, "inliner");
  t.settle();
  t.cast(1, InlineFinish{});
  CHECK(t.events.wait_down(1).exit == WorkerExit::finished);
  CHECK_FALSE(t.log->has("stopped on " + thread_name()));
}

TEST_CASE("inline handlers that deliver to each other do not pile up without end") {
  struct Echo : Worker {
    static void handlers(Handlers<Echo>& h) { h.on<&Echo::say>(run_inline); }
    explicit Echo(std::shared_ptr<Log> l) : log(std::move(l)) {}
    void say(const Say& m) {
      if (m.text.size() > 2'000) return log->add("deep enough");
      ctx().cast(ctx().id() == "echo-1" ? "echo-2" : "echo-1", Say{m.text + "x"});
    }
    std::shared_ptr<Log> log;
  };
  Inliners t;
  t.add<Echo>("echo", t.log);
  t.events.routes = {{"echo-1", 1}, {"echo-2", 2}};
  t.run();
  t.start_up(1, "echo");
  t.start_up(2, "echo");
  t.cast(1, Say{""});
  CHECK(t.log->wait_for("deep enough"));
}

}  // namespace worker_host_inline_test
