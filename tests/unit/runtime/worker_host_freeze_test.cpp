// Workers that move with their state: frozen where they were, prepared where they go.
#include "tests/unit/runtime/worker_host_fixture.hpp"

namespace worker_host_freeze_test {

using namespace worker_host_test;

namespace {

struct Ask {
  PROCESSHUB_FIELDS()
};
struct Later {
  PROCESSHUB_FIELDS()
};

/// Keeps the texts it was told. "bad" in them: its state cannot be had.
class Keeper : public Worker {
 public:
  static void handlers(Handlers<Keeper>& h) {
    h.on<&Keeper::say>().on<&Keeper::wait>().on<&Keeper::ask>().on<&Keeper::later>();
  }
  Keeper(std::shared_ptr<Log> log, std::shared_ptr<Door> door)
      : log_(std::move(log)), door_(std::move(door)) {}
  Bytes save_state() {
    if (texts_ == "hangs") wait({});
    if (texts_ == "bad") throw std::runtime_error("no state today");
    return texts_;
  }
  void load_state(std::string_view state) {
    if (state == "bad") throw std::runtime_error("not such a state");
    texts_ = state;
  }
  void merge_state(std::string_view state) {
    texts_ += "+" + std::string(state);
    log_->add("merged " + texts_);
  }
  void on_start(StartReason reason) override {
    log_->add("start:" + std::string(to_string(reason)) + " with '" + texts_ + "' " +
              ctx().generation().str());
  }
  void on_stop(StopReason reason) override { log_->add("stop:" + std::string(to_string(reason))); }

 private:
  Text say(const Say& m) {
    texts_ += m.text;
    log_->add(texts_);
    return {texts_};
  }
  Text wait(const Wait&) {
    log_->add("waits");
    door_->pass();
    return {};
  }
  void ask(const Ask&) {
    ctx().call<Text>("2", Wait{}, std::chrono::seconds(20),
                     [this](const Result<Text>&) { log_->add("told"); });
  }
  void later(const Later&, Reply<Text> reply) {
    log_->add("owes");
    ctx().after(std::chrono::milliseconds(20), [this, reply] { reply({texts_}); });
  }
  std::shared_ptr<Log> log_;
  std::shared_ptr<Door> door_;
  std::string texts_{};
};

struct Keepers : Hosted {
  Keepers() {
    Handlers<Keeper> handlers;
    Keeper::handlers(handlers);
    WorkerClass c;
    c.type = "keeper";
    c.handlers = handlers.entries;
    c.make = [log = log, door = door](const Bytes&) { return std::make_unique<Keeper>(log, door); };
    c.save = [](Worker& w) { return static_cast<Keeper&>(w).save_state(); };
    c.load = [](Worker& w, std::string_view state) { static_cast<Keeper&>(w).load_state(state); };
    c.merge = [](Worker& w, std::string_view state) { static_cast<Keeper&>(w).merge_state(state); };
    types->add(std::move(c));
  }
  void prepare(std::uint64_t serial, const Bytes& state) {
    ChildSpec spec{.id = "moved", .type = "keeper"};
    protocol::effect::StartWorker order;
    order.serial = serial;
    order.spec = std::make_shared<protocol::SharedSpec>(std::move(spec));
    order.reason = StartReason::move;
    order.prepare = true;
    order.state = std::make_shared<const Bytes>(state);
    host->start(order);
  }
  void resume(std::uint64_t serial, std::uint64_t epoch) { host->resume({serial, {epoch, 0, node()}}); }
  bool say(std::uint64_t serial, const std::string& text) { return post(serial, Say{text}); }
};

}  // namespace

TEST_CASE("a frozen worker has saved its state, gives back what it had not begun, and takes nothing more") {
  for (const auto executor : {Executor::pooled, Executor::dedicated}) {
    Keepers t;
    t.run();
    t.start_up(1, "keeper", executor);
    CHECK(t.say(1, "a"));
    REQUIRE(t.log->wait_for("a"));
    CHECK(t.cast(1, Wait{}));
    REQUIRE(t.log->wait_for("waits"));
    CHECK(t.say(1, "b"));
    t.host->freeze({1, true, false});
    CHECK(t.say(1, "c"));
    t.door->open();
    const auto frozen = t.events.wait_frozen(1);
    CHECK(frozen.frozen);
    CHECK(frozen.has_state);
    CHECK(frozen.state == "a");
    REQUIRE(frozen.leftovers.size() == 2);
    CHECK(frozen.leftovers[1].body == encode(Say{"c"}));
    CHECK_FALSE(t.say(1, "d"));
    CHECK_FALSE(t.cast(1, Say{"e"}));  // straight from this process
    t.resume(1, 7);
    CHECK(t.say(1, "f"));
    CHECK(t.log->wait_for("af"));
  }
}

TEST_CASE("a frozen worker that is stopped gets its last turn") {
  Keepers t;
  t.run();
  t.start_up(1, "keeper");
  t.host->freeze({1, true, false});
  CHECK(t.events.wait_frozen(1).frozen);
  t.host->stop(1, StopReason::move);
  CHECK(t.events.wait_down(1).leftovers.empty());
  CHECK(t.log->wait_for("stop:move"));
}

TEST_CASE("what save_state throws is no crash") {
  Keepers t;
  t.run();
  t.start_up(1, "keeper");
  CHECK(t.say(1, "bad"));
  REQUIRE(t.log->wait_for("bad"));
  t.host->freeze({1, true, false});
  const auto answer = t.events.wait_frozen(1);
  CHECK_FALSE(answer.frozen);
  CHECK_FALSE(answer.busy);
  CHECK(answer.why == "save_state threw: no state today");
  CHECK(t.say(1, "!"));
  CHECK(t.log->wait_for("bad!"));
  // Without its state it can be frozen.
  t.host->freeze({1, false, false});
  const auto frozen = t.events.wait_frozen(1);
  CHECK(frozen.frozen);
  CHECK_FALSE(frozen.has_state);
}

TEST_CASE("a freeze can be called off while save_state does not return") {
  Keepers t;
  t.run();
  t.start_up(1, "keeper");
  CHECK(t.say(1, "hangs"));
  REQUIRE(t.log->wait_for("hangs"));
  t.host->freeze({1, true, false});
  REQUIRE(t.log->wait_for("waits"));
  t.host->cancel_freeze(1);
  const auto answer = t.events.wait_frozen(1);
  CHECK_FALSE(answer.frozen);
  CHECK(answer.why == "save_state did not return in time");
  t.door->open();
  CHECK(t.say(1, "!"));
  CHECK(t.log->wait_for("hangs!"));
}

TEST_CASE("a worker that waits for an answer, or owes one, is not frozen before it is there") {
  Keepers t;
  t.events.routes["2"] = 2;
  t.run();
  t.start_up(1, "keeper");
  t.start_up(2, "keeper");
  CHECK(t.cast(1, Ask{}));
  REQUIRE(t.log->wait_for("waits"));
  t.host->freeze({1, true, false});
  CHECK(t.say(1, "meanwhile"));
  REQUIRE(t.log->wait_for("meanwhile"));
  t.host->cancel_freeze(1);
  const auto busy = t.events.wait_frozen(1);
  CHECK_FALSE(busy.frozen);
  CHECK(busy.busy);
  t.host->freeze({1, true, false});
  t.door->open();
  CHECK(t.events.wait_frozen(1).state == "meanwhile");
  CHECK(t.log->wait_for("told"));

  CHECK(t.cast(2, Say{"x"}));
  const auto answer = t.call(2, Later{});
  REQUIRE(t.log->wait_for("owes"));
  t.host->freeze({2, true, false});
  CHECK(t.events.wait_frozen(2).frozen);
  CHECK(answer->wait() == "ok");
}

TEST_CASE("a worker that is held takes no messages, but the answer that it waits for") {
  Keepers t;
  t.events.routes["2"] = 2;
  t.run();
  t.start_up(1, "keeper");
  t.start_up(2, "keeper");
  CHECK(t.cast(1, Ask{}));
  REQUIRE(t.log->wait_for("waits"));
  t.host->freeze({1, true, true});
  CHECK(t.say(1, "held back"));
  t.door->open();
  const auto frozen = t.events.wait_frozen(1);
  CHECK(frozen.frozen);
  CHECK(frozen.state.empty());
  CHECK(frozen.leftovers.size() == 1);
  CHECK(t.log->count("told") == 1);
}

TEST_CASE("the state of another instance is merged in a turn of its own, and before the worker is frozen") {
  Keepers t;
  t.run();
  t.start_up(1, "keeper");
  CHECK(t.say(1, "a"));
  REQUIRE(t.log->wait_for("a"));
  t.host->merge({1, {1, 0, NodeId::of("node-b", 1)}, std::make_shared<const Bytes>("b")});
  t.host->freeze({1, true, true});
  CHECK(t.events.wait_frozen(1).state == "a+b");
  CHECK(t.log->has("merged a+b"));
}

TEST_CASE("a prepared worker has its state, and starts when it is told to") {
  Keepers t;
  t.run();
  t.prepare(1, "old");
  REQUIRE(t.events.wait_prepared(1));
  CHECK(t.events.ups() == 0);
  CHECK_FALSE(t.say(1, "early"));
  t.resume(1, 5);
  REQUIRE(t.events.wait_up(1));
  CHECK(t.log->wait_for("start:move with 'old' 5.0@node-a/7"));
  CHECK(t.say(1, " new"));
  CHECK(t.log->wait_for("old new"));
}

TEST_CASE(
    "a state that load_state refuses is a failed start, and one that is not wanted any more ends silently") {
  Keepers t;
  t.run();
  t.prepare(1, "bad");
  const auto down = t.events.wait_down(1);
  CHECK(down.exit == protocol::WorkerExit::start_failed);
  CHECK(down.why == "not such a state");
  t.prepare(2, "good");
  REQUIRE(t.events.wait_prepared(2));
  t.host->stop(2, StopReason::move);
  CHECK(t.events.wait_down(2).exit == protocol::WorkerExit::stopped);
  CHECK(t.log->lines().empty());
}

}  // namespace worker_host_freeze_test
