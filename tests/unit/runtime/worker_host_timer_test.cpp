#include "core/runtime/worker_timers.hpp"
#include "tests/unit/runtime/worker_host_fixture.hpp"

namespace worker_host_timer_test {

using namespace worker_host_test;

namespace {

struct Arm {
  std::string what{};
  PROCESSHUB_FIELDS(what)
};

class Timed : public Worker {
 public:
  static void handlers(Handlers<Timed>& h) { h.on<&Timed::arm>().on<&Timed::say>(); }
  explicit Timed(std::shared_ptr<Log> log) : log_(std::move(log)) {}
  ~Timed() override { log_->add("destroyed"); }

 private:
  void arm(const Arm& m) {
    if (m.what == "order") {
      ctx().after(40ms, [this] { log_->add("third"); });
      ctx().after(0ms, [this] { log_->add("first"); });
      ctx().after(20ms, [this] { log_->add("second"); });
    } else if (m.what == "every") {
      every_ = ctx().every(1ms, [this] {
        log_->add("tick");
        if (++ticks_ == 5) {
          ctx().cancel(every_);
          log_->add("cancelled");
        }
      });
    } else if (m.what == "cancel") {
      const auto id = ctx().after(1ms, [this] { log_->add("must not run"); });
      ctx().cancel(id);
      ctx().cancel(id);
      ctx().after(20ms, [this] { log_->add("after the cancelled one"); });
    } else if (m.what == "crash") {
      ctx().after(1ms, [] { throw std::runtime_error("timer threw"); });
    } else if (m.what == "late") {
      ctx().after(1ms, [this] { log_->add("must not run"); });
      ctx().finish();
    } else if (m.what == "turn") {
      ctx().after(0ms, [this] { log_->add(detail::inside_worker() ? "in a turn" : "outside"); });
    }
  }
  Text say(const Say& m) { return Text{m.text}; }

  std::shared_ptr<Log> log_;
  TimerId every_ = 0;
  int ticks_ = 0;
};

struct Timeds : Hosted {
  Timeds() {
    add<Timed>("timed", log);
    run();
    start_up(1, "timed");
  }
};

}  // namespace

TEST_CASE("timers run in the order of their times, as turns of the worker") {
  Timeds t;
  t.cast(1, Arm{"order"});
  t.cast(1, Arm{"turn"});
  REQUIRE(t.log->wait_for("third"));
  auto lines = t.log->lines();
  lines.erase(std::remove(lines.begin(), lines.end(), "in a turn"), lines.end());
  CHECK(lines == std::vector<std::string>{"first", "second", "third"});
  CHECK(t.log->has("in a turn"));
}

TEST_CASE("a periodic timer repeats until it is cancelled, also from its own action") {
  Timeds t;
  t.cast(1, Arm{"every"});
  REQUIRE(t.log->wait_for("cancelled"));
  t.cast(1, Arm{"order"});
  REQUIRE(t.log->wait_for("third"));  // long enough for many periods
  CHECK(t.log->count("tick") == 5);
}

TEST_CASE("a cancelled timer does not run") {
  Timeds t;
  t.cast(1, Arm{"cancel"});
  REQUIRE(t.log->wait_for("after the cancelled one"));
  CHECK_FALSE(t.log->has("must not run"));
}

TEST_CASE("an exception in a timer is a crash") {
  Timeds t;
  t.cast(1, Arm{"crash"});
  const auto down = t.events.wait_down(1);
  CHECK(down.exit == WorkerExit::crashed);
  CHECK(down.why == "timer threw");
}

TEST_CASE("the timers of a worker end with it") {
  Timeds t;
  t.start_up(2, "timed");
  t.cast(1, Arm{"late"});
  t.events.wait_down(1);
  t.cast(2, Arm{"order"});
  REQUIRE(t.log->wait_for("third"));
  CHECK_FALSE(t.log->has("must not run"));
}

TEST_CASE("the timer thread reports each entry once, in order, and not those that were disarmed") {
  using Entry = WorkerTimers::Entry;
  WorkerTimers timers;
  Log log;
  timers.start([&](const Entry& e) { log.add(std::to_string(e.serial)); }, [](auto) { return 10s; });
  const auto now = WorkerTimers::Clock::now();
  timers.arm({now + 60ms, 3, 1});
  timers.arm({now + 30ms, 2, 1});
  timers.arm({now + 45ms, 9, 1});
  timers.arm({now - 1ms, 1, 1});
  timers.disarm({now + 45ms, 9, 1});
  REQUIRE(log.wait_for("3"));
  CHECK(log.lines() == std::vector<std::string>{"1", "2", "3"});
  timers.stop();
}

}  // namespace worker_host_timer_test
