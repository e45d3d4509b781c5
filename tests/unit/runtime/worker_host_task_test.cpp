// Handlers that are coroutines.
#include "tests/unit/runtime/worker_host_fixture.hpp"

namespace worker_host_task_test {

using namespace worker_host_test;

namespace {

struct Chain {
  std::vector<std::string> to{};
  PROCESSHUB_FIELDS(to)
};
struct Twice {
  std::int64_t of = 0;
  PROCESSHUB_FIELDS(of)
};
struct Number {
  std::int64_t number = 0;
  PROCESSHUB_FIELDS(number)
};
struct Refuse {
  PROCESSHUB_FIELDS()
};
struct Linger {
  PROCESSHUB_FIELDS()
};
struct ThrowLater {
  std::string to{};
  PROCESSHUB_FIELDS(to)
};
struct ThrowNow {
  PROCESSHUB_FIELDS()
};
struct Spawn {
  std::string to{};
  PROCESSHUB_FIELDS(to)
};
struct Quick {
  PROCESSHUB_FIELDS()
};

/// Says when a coroutine's locals go, and that its worker is still there then.
struct Local {
  Local(const std::shared_ptr<Log>& l, const std::string& w) : log(l), of_worker(w) {}
  Local(const Local&) = delete;
  Local& operator=(const Local&) = delete;
  ~Local() { log->add("local of " + of_worker + " gone"); }
  std::shared_ptr<Log> log;
  const std::string& of_worker;
};

class Waiter : public Worker {
 public:
  static void handlers(Handlers<Waiter>& h) {
    h.on<&Waiter::chain>().on<&Waiter::refuse>().on<&Waiter::wait>().on<&Waiter::throw_later>();
    h.on<&Waiter::throw_now>()
        .on<&Waiter::spawn_one>()
        .on<&Waiter::quick>()
        .on<&Waiter::say>()
        .on<&Waiter::twice>();
  }
  explicit Waiter(std::shared_ptr<Log> log) : log_(std::move(log)) {}
  ~Waiter() override { log_->add("worker gone"); }

 private:
  /// Asks one after the other; the message and the locals live all the while.
  Task<Text> chain(const Chain& m) {
    std::string all;
    for (const auto& to : m.to) all += co_await ask(to);
    all += std::to_string((co_await ctx().call<Number>("waiter-1", Twice{21})).value().number);
    co_return Text{all};
  }
  Task<std::string> ask(std::string to) {
    const Say question{"to " + to};
    const Result<Text> answer = co_await ctx().call<Text>(to, question, 5s);
    co_return answer ? answer->text + ";" : std::string(to_string(answer.error().code)) + ";";
  }
  Task<Result<Text>> refuse(Refuse) {
    co_await ctx().sleep(1ms);
    co_return Error{ErrorCode::invalid, "no"};
  }
  Task<> wait(Linger) {
    const Local local(log_, name_);
    log_->add("waits");
    co_await ctx().sleep(std::chrono::hours(1));
    log_->add("never");
  }
  Task<Text> throw_later(ThrowLater m) {
    const Local local(log_, name_);
    co_await fail_after_asking(m.to);
    co_return Text{"never"};
  }
  Task<> fail_after_asking(std::string to) {
    const Say question{"x"};
    co_await ctx().call<Text>(to, question, 5s);
    throw std::runtime_error("inside a coroutine");
  }
  Task<Text> throw_now(ThrowNow) {
    throw std::runtime_error("before any wait");
    co_return Text{};
  }
  void spawn_one(const Spawn& m) { spawn(tell(m.to)); }
  Task<> tell(std::string to) {
    const Say news{"spawned"};
    const auto answer = co_await ctx().call<Text>(to, news, 5s);
    log_->add(answer ? "told" : "not told");
  }
  Task<Text> quick(Quick) { co_return Text{"at once"}; }
  Number twice(const Twice& m) { return {2 * m.of}; }
  Text say(const Say& m) { return Text{"heard " + m.text}; }

  std::shared_ptr<Log> log_;
  std::string name_ = "waiter";
};

struct Waiters : Hosted {
  Waiters() {
    add<Waiter>("waiter", log);
    events.routes = {{"waiter-1", 1}, {"waiter-2", 2}, {"nobody", 99}};
    run();
    start_up(1, "waiter");
    start_up(2, "waiter");
  }
  template <class M>
  std::string text(std::uint64_t serial, const M& message) {
    const auto answer = call(serial, message);
    const auto how = answer->wait();
    return how == "ok" ? decode<Text>(*answer->answer()).value().text : how;
  }
};

}  // namespace

TEST_CASE("a coroutine asks others one after the other, itself too, and then answers") {
  Waiters t;
  CHECK(t.text(1, Chain{{"waiter-2", "waiter-1", "waiter-2"}}) ==
        "heard to waiter-2;heard to waiter-1;heard to waiter-2;42");
  CHECK(t.text(1, Chain{}) == "42");
  CHECK(t.text(1, Quick{}) == "at once");
}

TEST_CASE("a coroutine's error is the caller's answer, and a cast to one needs none") {
  Waiters t;
  CHECK(t.text(1, Refuse{}) == "invalid");
  t.post(1, Refuse{}, 0);
  t.post(1, Quick{}, 0);
  CHECK(t.text(1, Quick{}) == "at once");
}

TEST_CASE("a worker serves others while its coroutine waits, and the coroutine ends with it, locals first") {
  Waiters t;
  const auto open = t.call(1, Linger{});
  CHECK(t.text(1, Quick{}) == "at once");
  t.host->stop(1, StopReason::user);
  CHECK(open->wait() == "stopped");
  t.events.wait_down(1);
  CHECK(t.log->lines() == std::vector<std::string>{"waits", "local of waiter gone", "worker gone"});
}

TEST_CASE("what a coroutine throws is a crash, before its first wait and after it") {
  Waiters t;
  const auto late = t.call(1, ThrowLater{"waiter-2"});
  CHECK(late->wait() == "worker_crashed");
  const auto down = t.events.wait_down(1);
  CHECK(down.exit == WorkerExit::crashed);
  CHECK(down.why == "inside a coroutine");
  CHECK(t.log->lines() == std::vector<std::string>{"local of waiter gone", "worker gone"});
  CHECK(t.call(2, ThrowNow{})->wait() == "worker_crashed");
  CHECK(t.events.wait_down(2).why == "before any wait");
}

TEST_CASE("a spawned coroutine runs without anybody waiting for it") {
  Waiters t;
  CHECK(t.call(1, Spawn{"waiter-2"})->wait() == "ok");
  CHECK(t.log->wait_for("told"));
}

}  // namespace worker_host_task_test
