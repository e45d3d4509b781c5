// Workers that are put away while nothing comes for them.
#include "tests/unit/runtime/worker_host_fixture.hpp"

namespace worker_host_passivation_test {

using namespace worker_host_test;

namespace {

struct Remind {
  PROCESSHUB_FIELDS()
};
struct Later {
  PROCESSHUB_FIELDS()
};
struct Now {
  PROCESSHUB_FIELDS()
};

/// Keeps the texts it was told. "unsaved" or "unloaded" in them: its state cannot be had, or loaded.
class Sleeper : public Worker {
 public:
  static void handlers(Handlers<Sleeper>& h) {
    h.on<&Sleeper::say>().on<&Sleeper::wait>().on<&Sleeper::remind>().on<&Sleeper::later>();
    h.on<&Sleeper::now>(run_inline);
  }
  Sleeper(std::shared_ptr<Log> log, std::shared_ptr<Door> door)
      : log_(std::move(log)), door_(std::move(door)) {}
  ~Sleeper() override { log_->add("destroyed"); }
  Bytes save_state() {
    log_->add("saves " + texts_);
    if (texts_ == "unsaved") throw std::runtime_error("no state today");
    return texts_;
  }
  void load_state(std::string_view state) {
    if (state == "unloaded") throw std::runtime_error("not such a state");
    texts_ = state;
  }
  void on_start(StartReason reason) override {
    log_->add("start:" + std::string(to_string(reason)) + " with '" + texts_ + "'");
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
    return {texts_};
  }
  void remind(const Remind&) {
    ctx().after(std::chrono::milliseconds(300), [this] { log_->add("reminded"); });
  }
  void later(const Later&, Reply<Text> reply) { reply_ = std::make_unique<Reply<Text>>(std::move(reply)); }
  Text now(const Now&) {
    if (reply_) (*reply_)({texts_});
    reply_.reset();
    return {texts_};
  }
  std::shared_ptr<Log> log_;
  std::shared_ptr<Door> door_;
  std::string texts_{};
  std::unique_ptr<Reply<Text>> reply_{};
};

struct Sleepers : Hosted {
  Sleepers() {
    Handlers<Sleeper> handlers;
    Sleeper::handlers(handlers);
    WorkerClass c;
    c.type = "sleeper";
    c.handlers = handlers.entries;
    c.make = [log = log, door = door](const Bytes&) { return std::make_unique<Sleeper>(log, door); };
    c.save = [](Worker& w) { return static_cast<Sleeper&>(w).save_state(); };
    c.load = [](Worker& w, std::string_view state) { static_cast<Sleeper&>(w).load_state(state); };
    types->add(std::move(c));
    add<Scribe>("scribe", log, door);
    run();
  }
  void start_idler(const std::string& type = "sleeper", Executor executor = Executor::pooled) {
    ChildSpec spec{.id = "idler", .type = type, .executor = executor};
    spec.passivate_after = 5ms;
    protocol::effect::StartWorker order;
    order.serial = 1;
    order.spec = std::make_shared<protocol::SharedSpec>(std::move(spec));
    order.generation = {3, 1, node()};
    host->start(order);
    if (type == "sleeper") REQUIRE(events.wait_up(1));
  }
  bool asleep() const { return host->load().passivated == 1; }
  Text said(const std::shared_ptr<CaughtAnswer>& answer) {
    REQUIRE(answer->wait() == "ok");
    return decode<Text>(*answer->answer()).value();
  }
};

}  // namespace

TEST_CASE("an idle worker saves its state and its object goes, and the next message finds both again") {
  for (const auto executor : {Executor::pooled, Executor::dedicated}) {
    Sleepers t;
    t.start_idler("sleeper", executor);
    CHECK(t.said(t.call(1, Say{"a"})).text == "a");
    REQUIRE(t.log->wait_for("destroyed"));
    CHECK(t.log->has("stop:passivation"));
    CHECK(t.said(t.call(1, Say{"b"})).text == "ab");
    CHECK(t.log->has("start:activation with 'a'"));
    REQUIRE(t.log->wait_for("destroyed", 2));
    CHECK(t.said(t.call(1, Now{})).text == "ab");  // also through an inline handler
    CHECK(t.events.ups() == 1);                    // nobody else notices anything
    CHECK(t.events.downs() == 0);
  }
}

TEST_CASE(
    "a worker stays awake while it has a timer, owes an answer or works, and sleeps when that is over") {
  Sleepers t;
  t.start_idler();
  CHECK(t.cast(1, Remind{}));
  REQUIRE(t.log->wait_for("reminded"));
  const auto owed = t.call(1, Later{});
  const auto working = t.call(1, Wait{});
  REQUIRE(t.log->wait_for("waits"));
  CHECK_FALSE(t.asleep());
  t.door->open();
  CHECK(t.said(working).text.empty());
  CHECK(t.said(t.call(1, Now{})).text.empty());
  CHECK(owed->wait() == "ok");
  CHECK(owed->times() == 1);
  REQUIRE(eventually([&] { return t.asleep(); }));
}

TEST_CASE("a sleeping worker that is to move hands over what it had saved, and does not wake for it") {
  Sleepers t;
  t.start_idler();
  CHECK(t.said(t.call(1, Say{"a"})).text == "a");
  REQUIRE(eventually([&] { return t.asleep(); }));
  t.host->freeze({1, true, false});
  const auto frozen = t.events.wait_frozen(1);
  CHECK(frozen.frozen);
  CHECK(frozen.has_state);
  CHECK(frozen.state == "a");
  CHECK_FALSE(t.cast(1, Say{"b"}));
  t.host->resume({1, {7, 0, Hosted::node()}});  // the move came to nothing
  CHECK(t.said(t.call(1, Say{"c"})).text == "ac");
  CHECK(t.log->count("saves a") == 1);
  REQUIRE(eventually([&] { return t.asleep(); }));
  t.host->stop(1, StopReason::user);
  CHECK(t.events.wait_down(1).exit == WorkerExit::stopped);
  CHECK_FALSE(t.log->has("stop:user"));  // it had its last turn
}

TEST_CASE("a state that cannot be saved keeps its worker awake, one that cannot be loaded is a crash") {
  Sleepers t;
  t.start_idler();
  CHECK(t.said(t.call(1, Say{"un"})).text == "un");
  REQUIRE(eventually([&] { return t.asleep(); }));
  CHECK(t.said(t.call(1, Say{"saved"})).text == "unsaved");
  REQUIRE(t.events.wait_report("is not passivated: save_state threw: no state today"));
  REQUIRE(t.log->wait_for("saves unsaved", 2));  // it is tried again
  CHECK(t.said(t.call(1, Say{"!"})).text == "unsaved!");

  Sleepers broken;
  broken.start_idler();
  CHECK(broken.said(broken.call(1, Say{"unloaded"})).text == "unloaded");
  REQUIRE(eventually([&] { return broken.asleep(); }));
  CHECK(broken.post(1, Say{"x"}, 5));
  const auto down = broken.events.wait_down(1);
  CHECK(down.exit == WorkerExit::crashed);
  CHECK(down.why == "not such a state");
  CHECK(down.leftovers.size() == 1);  // for its next life
}

TEST_CASE("a class without a state cannot be passivated, and says so when it starts") {
  Sleepers t;
  t.start_idler("scribe");
  const auto down = t.events.wait_down(1);
  CHECK(down.exit == WorkerExit::start_failed);
  CHECK(down.why.find("passivate_after needs a state") != std::string::npos);
}

TEST_CASE("messages that come while workers fall asleep are all handled, each once and in order") {
  Sleepers t;
  t.start_idler();
  std::string all;
  for (int i = 0; i < 400; ++i) {
    const std::string letter(1, static_cast<char>('a' + i % 26));
    all += letter;
    REQUIRE(t.cast(1, Say{letter}));
    if (i % 40 != 0) continue;
    CHECK(t.said(t.call(1, Say{})).text == all);
    CHECK(eventually([&] { return t.asleep(); }));
  }
  CHECK(t.said(t.call(1, Say{})).text == all);
  CHECK(t.log->count("stop:passivation") >= 9);
}

}  // namespace worker_host_passivation_test
