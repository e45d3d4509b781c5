#include "tests/unit/runtime/worker_host_fixture.hpp"

namespace worker_host_reply_test {

using namespace worker_host_test;

namespace {

struct Keep {
  PROCESSHUB_FIELDS()
};
struct Release {
  PROCESSHUB_FIELDS()
};
struct Forget {
  PROCESSHUB_FIELDS()
};
struct ThrowHolding {
  PROCESSHUB_FIELDS()
};
struct AnswerThenThrow {
  PROCESSHUB_FIELDS()
};
struct Ask {
  std::string to{};
  PROCESSHUB_FIELDS(to)
};

class Keeper : public Worker {
 public:
  static void handlers(Handlers<Keeper>& h) {
    h.on<&Keeper::keep>()
        .on<&Keeper::release>()
        .on<&Keeper::forget>()
        .on<&Keeper::fail>()
        .on<&Keeper::throw_holding>();
    h.on<&Keeper::answer_then_throw>().on<&Keeper::ask>().on<&Keeper::say>();
  }
  explicit Keeper(std::shared_ptr<Log> log) : log_(std::move(log)) {}

 private:
  void keep(const Keep&, Reply<Text> reply) { kept_.push_back(reply); }
  void release(const Release&) {
    for (auto& reply : kept_) {
      reply(Text{"kept"});
      reply(Text{"twice"});
    }
    kept_.clear();
  }
  void forget(const Forget&) { kept_.clear(); }
  void fail(const Throw&) { throw std::runtime_error("asked to throw"); }
  void throw_holding(const ThrowHolding&, Reply<Text>) { throw std::runtime_error("holding"); }
  void answer_then_throw(const AnswerThenThrow&, Reply<Text> reply) {
    reply(Text{"before"});
    throw std::runtime_error("after");
  }
  void ask(const Ask& m, Reply<Text> reply) {
    ctx().call<Text>(m.to, Say{"question"}, 5s, [this, reply](Result<Text> r) {
      log_->add(r ? "answered" : "failed:" + std::string(to_string(r.error().code)));
      if (r) return reply(*r);
      reply.fail(r.error());
    });
  }
  Text say(const Say& m) { return Text{m.text}; }

  std::shared_ptr<Log> log_;
  std::vector<Reply<Text>> kept_{};
};

struct Keepers : Hosted {
  Keepers() {
    add<Keeper>("keeper", log);
    add<Scribe>("scribe", log, door);
    events.routes = {{"keeper-1", 1}, {"keeper-2", 2}, {"scribe-3", 3}, {"nobody", 99}};
    run();
    start_up(1, "keeper");
  }
};

}  // namespace

TEST_CASE("a kept reply answers later and only once") {
  Keepers t;
  const auto a = t.call(1, Keep{});
  const auto b = t.call(1, Keep{});
  t.post(1, Keep{}, 11);
  CHECK(t.call(1, Release{})->wait() == "ok");
  CHECK(a->wait() == "ok");
  CHECK(decode<Text>(*a->answer()).value().text == "kept");
  CHECK(b->wait() == "ok");
  CHECK(a->times() == 1);
  CHECK(t.events.wait_answer(11) == "ok");
}

TEST_CASE("a dropped reply is answered no_reply") {
  Keepers t;
  const auto kept = t.call(1, Keep{});
  CHECK(t.call(1, Forget{})->wait() == "ok");
  CHECK(kept->wait() == "no_reply");
  CHECK(kept->times() == 1);
}

TEST_CASE(
    "replies that are still open when the worker stops are answered stopped, when it crashes "
    "worker_crashed") {
  Keepers t;
  t.start_up(2, "keeper");
  const auto a = t.call(1, Keep{});
  const auto b = t.call(2, Keep{});
  t.post(2, Keep{}, 12);
  CHECK(t.call(1, Say{"done"})->wait() == "ok");
  t.host->stop(1, StopReason::user);
  CHECK(a->wait() == "stopped");
  CHECK(t.call(2, Throw{})->wait() == "worker_crashed");
  CHECK(b->wait() == "worker_crashed");
  CHECK(t.events.wait_answer(12) == "worker_crashed");
  t.events.wait_down(1);
  t.events.wait_down(2);
  CHECK(a->times() == 1);
  CHECK(b->times() == 1);
}

TEST_CASE("a handler that throws while it holds its reply ends the call worker_crashed") {
  Keepers t;
  const auto call = t.call(1, ThrowHolding{});
  CHECK(call->wait() == "worker_crashed");
  t.events.wait_down(1);
  CHECK(call->times() == 1);
}

TEST_CASE("an answer given before the handler throws stands") {
  Keepers t;
  const auto call = t.call(1, AnswerThenThrow{});
  CHECK(call->wait() == "ok");
  CHECK(t.events.wait_down(1).exit == WorkerExit::crashed);
  CHECK(call->times() == 1);
}

TEST_CASE("a reply kept beyond the life of its worker and host does no harm") {
  struct Leaker : Worker {
    static void handlers(Handlers<Leaker>& h) { h.on<&Leaker::keep>(); }
    explicit Leaker(std::shared_ptr<std::vector<Reply<Text>>> o) : out(std::move(o)) {}
    void keep(const Keep&, Reply<Text> reply) {
      out->push_back(reply);
      ctx().finish();
    }
    std::shared_ptr<std::vector<Reply<Text>>> out;
  };
  const auto out = std::make_shared<std::vector<Reply<Text>>>();
  std::shared_ptr<CaughtAnswer> call;
  {
    Hosted t;
    t.add<Leaker>("leaker", out);
    t.run();
    t.start_up(1, "leaker");
    call = t.call(1, Keep{});
    CHECK(call->wait() == "stopped");
    t.events.wait_down(1);
    t.host.reset();
  }
  REQUIRE(out->size() == 1);
  out->front()(Text{"too late"});
  out->clear();
  CHECK(call->times() == 1);
}

TEST_CASE("a call between workers continues as a turn of the caller") {
  Keepers t;
  t.start_up(2, "keeper", Executor::dedicated);
  const auto call = t.call(1, Ask{"keeper-2"});
  CHECK(call->wait() == "ok");
  CHECK(decode<Text>(*call->answer()).value().text == "question");
  const auto itself = t.call(1, Ask{"keeper-1"});
  CHECK(itself->wait() == "ok");
  const auto nobody = t.call(1, Ask{"nobody"});
  CHECK(nobody->wait() == "no_such_child");
  CHECK(t.log->count("answered") == 2);
}

TEST_CASE("a continuation vanishes when its worker stops first") {
  Keepers t;
  t.start_up(3, "scribe");
  t.cast(3, Wait{});
  REQUIRE(t.log->wait_for("waiting"));
  const auto call = t.call(1, Ask{"scribe-3"});
  CHECK(t.call(1, Say{"asked by now"})->wait() == "ok");
  t.host->stop(1, StopReason::user);
  CHECK(call->wait() == "stopped");
  t.events.wait_down(1);
  t.door->open();
  CHECK(t.call(3, Say{"after the question"})->wait() == "ok");
  CHECK(t.log->count("question") == 1);
  CHECK(t.log->count("answered") == 0);
  CHECK(call->times() == 1);
}

TEST_CASE("a future cannot be waited for inside a worker") {
  struct Waiter : Worker {
    static void handlers(Handlers<Waiter>& h) { h.on<&Waiter::say>(); }
    Text say(const Say&) { return Text{Future<int>().get() ? "value" : "would block"}; }
  };
  Hosted t;
  t.add<Waiter>("waiter");
  t.run();
  t.start_up(1, "waiter");
  const auto call = t.call(1, Say{});
  REQUIRE(call->wait() == "ok");
  CHECK(decode<Text>(*call->answer()).value().text == "would block");
  CHECK_FALSE(processhub::detail::inside_worker());
}

}  // namespace worker_host_reply_test
