#include <time.h>

#include "tests/unit/runtime/worker_host_fixture.hpp"

namespace worker_host_gate_test {

using namespace worker_host_test;

namespace {

Time boot_now() {
  timespec t{};
  clock_gettime(CLOCK_BOOTTIME, &t);
  return Time(static_cast<std::int64_t>(t.tv_sec) * 1'000'000 + t.tv_nsec / 1'000);
}

class Quick : public Worker {
 public:
  static void handlers(Handlers<Quick>& h) { h.on<&Quick::say>(run_inline).on<&Quick::wait>(); }
  Quick(std::shared_ptr<Log> log, std::shared_ptr<Door> door)
      : log_(std::move(log)), door_(std::move(door)) {}
  ~Quick() override { log_->add("destroyed"); }
  void on_stop(StopReason) override { log_->add("on_stop"); }

 private:
  Text say(const Say& m) {
    log_->add(m.text);
    return Text{m.text};
  }
  void wait(const Wait&) {
    log_->add("waiting");
    door_->pass();
  }
  std::shared_ptr<Log> log_;
  std::shared_ptr<Door> door_;
};

struct Gated : Hosted {
  explicit Gated(Executor executor = Executor::pooled) {
    add<Quick>("quick", log, door);
    run();
    start_up(1, "quick", executor);
  }
  /// Both pool threads have looked at their queues at least once since the call.
  void pool_has_passed() {
    for (std::uint64_t serial : {1'000'001ULL, 1'000'002ULL, 1'000'003ULL, 1'000'004ULL}) {
      start(serial, "no such type");
      host->stop(serial, StopReason::user);
      events.wait_down(serial);
    }
  }
};

}  // namespace

TEST_CASE("behind closed gates no turn starts, nothing is delivered directly, and posted messages wait") {
  for (const auto executor : {Executor::pooled, Executor::dedicated}) {
    Gated t(executor);
    t.host->close_gates();
    CHECK_FALSE(t.cast(1, Say{"direct"}));
    t.post(1, Say{"one"});
    t.post(1, Say{"two"});
    t.start(2, "quick");
    t.pool_has_passed();
    CHECK(t.log->lines().empty());
    CHECK(t.events.ups() == 1);
    t.host->open_gates();
    REQUIRE(t.log->wait_for("two"));
    CHECK(t.log->lines() == std::vector<std::string>{"one", "two"});
    CHECK(t.events.wait_up(2));
    CHECK(t.cast(1, Say{"direct"}));
  }
}

TEST_CASE("gates that close during a turn end it after the present message") {
  Gated t;
  t.cast(1, Wait{});
  REQUIRE(t.log->wait_for("waiting"));
  t.cast(1, Say{"next"});
  t.host->close_gates();
  t.door->open();
  t.pool_has_passed();
  CHECK(t.log->lines() == std::vector<std::string>{"waiting"});
  t.host->open_gates();
  CHECK(t.log->wait_for("next"));
}

TEST_CASE("a worker can be stopped behind closed gates, its on_stop is left out") {
  for (const auto executor : {Executor::pooled, Executor::dedicated}) {
    Gated t(executor);
    t.host->close_gates();
    t.post(1, Say{"left over"});
    t.pool_has_passed();
    t.host->stop(1, StopReason::conflict);
    const auto down = t.events.wait_down(1);
    CHECK(down.exit == WorkerExit::stopped);
    CHECK(down.why.find("on_stop was left out") != std::string::npos);
    CHECK(down.leftovers.size() == 1);
    CHECK(t.log->lines() == std::vector<std::string>{"destroyed"});
  }
}

TEST_CASE("a worker that has to stop where nothing may run, for lack of a quorum, ends without its on_stop") {
  for (const bool stopped_first : {false, true}) {
    Gated t;
    t.host->set_alive_until(boot_now() - 1ms);  // the lease is over
    t.post(1, Say{"left over"});
    if (stopped_first) t.host->stop(1, StopReason::no_quorum);
    t.host->set_alive_until(Time::min());
    if (!stopped_first) t.host->stop(1, StopReason::no_quorum);
    const auto down = t.events.wait_down(1);
    CHECK(down.exit == WorkerExit::stopped);
    CHECK(down.why.find("on_stop was left out") != std::string::npos);
    CHECK(t.log->lines() == std::vector<std::string>{"destroyed"});
  }
}

TEST_CASE("past the moment the loop vouched for, turns wait until it has moved on") {
  for (const auto executor : {Executor::pooled, Executor::dedicated}) {
    Gated t(executor);
    t.host->set_alive_until(boot_now() - 1ms);
    CHECK(t.cast(1, Say{"waits"}));
    t.post(1, Say{"waits too"});
    t.host->set_alive_until(boot_now() - 500us);
    t.host->close_gates();  // ends may pass a closed gate, which shows that the pool has looked
    t.pool_has_passed();
    t.host->open_gates();
    CHECK(t.log->lines().empty());
    t.host->set_alive_until(boot_now() + 3600s);
    REQUIRE(t.log->wait_for("waits too"));
    CHECK(t.log->lines() == std::vector<std::string>{"waits", "waits too"});
  }
}

TEST_CASE("a stop past the deadline waits for the loop and then runs on_stop") {
  Gated t;
  t.host->set_alive_until(boot_now() - 1ms);
  t.host->stop(1, StopReason::user);
  t.host->set_alive_until(boot_now() + 3600s);
  CHECK(t.events.wait_down(1).why == "");
  CHECK(t.log->lines() == std::vector<std::string>{"on_stop", "destroyed"});
}

TEST_CASE("the host can be destroyed behind closed gates and past the deadline") {
  Gated t;
  t.host->set_alive_until(boot_now() - 1ms);
  t.host->close_gates();
  t.post(1, Say{"call"}, 6);
  t.host.reset();
  CHECK(t.events.wait_answer(6) == "stopped");
  CHECK(t.log->lines() == std::vector<std::string>{"destroyed"});
}

}  // namespace worker_host_gate_test
