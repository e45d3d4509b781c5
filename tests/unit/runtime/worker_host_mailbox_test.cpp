#include "tests/unit/runtime/worker_host_fixture.hpp"

namespace worker_host_mailbox_test {

using namespace worker_host_test;

namespace {

struct Limited : Hosted {
  Limited(std::uint32_t limit, const std::string& policy, std::uint64_t bytes = 1U << 20) {
    config.mailbox_limit = limit;
    config.mailbox_bytes = bytes;
    config.mailbox_policy = policy;
    add<Scribe>("scribe", log, door);
    run();
    start_up(1, "scribe");
    cast(1, Wait{});
    REQUIRE(log->wait_for("waiting"));  // from here on everything stays in the mailbox
  }
  std::vector<std::string> said() const {
    std::vector<std::string> lines;
    for (auto& line : log->lines()) {
      if (line.rfind("m", 0) == 0) lines.push_back(line);
    }
    return lines;
  }
};

class RawWorker : public Worker {
 public:
  static void handlers(Handlers<RawWorker>& h) { h.on<&RawWorker::say>().on_raw<&RawWorker::raw>(); }
  explicit RawWorker(std::shared_ptr<Log> log) : log_(std::move(log)) {}

 private:
  void say(const Say& m) { log_->add(m.text); }
  Result<Bytes> raw(std::string_view message, std::string_view body) {
    log_->add("raw " + std::string(message));
    if (body.empty()) return {ErrorCode::invalid, "empty"};
    return Bytes(body);
  }
  std::shared_ptr<Log> log_;
};

}  // namespace

TEST_CASE(
    "a full mailbox under reject answers overloaded to the new message and counts a cast as a dead letter") {
  Limited t(3, "reject");
  for (const auto* text : {"m1", "m2", "m3"}) CHECK(t.cast(1, Say{text}));
  CHECK(t.call(1, Say{"m4"})->wait() == "overloaded");
  CHECK(t.cast(1, Say{"m5"}));
  t.post(1, Say{"m6"}, 7);
  CHECK(t.events.wait_answer(7) == "overloaded");
  CHECK(t.host->counters().dead_letters == 1);
  t.door->open();
  REQUIRE(t.log->wait_for("m3"));
  CHECK(t.said() == std::vector<std::string>{"m1", "m2", "m3"});
}

TEST_CASE(
    "a mailbox is full by bytes, too: only the last message may exceed them, and what is dropped is told") {
  Limited t(1'000, "reject", 10'000);
  CHECK(t.cast(1, Say{"m1" + std::string(30'000, 'x')}));
  CHECK(t.call(1, Say{"m2"})->wait() == "overloaded");
  CHECK(t.cast(1, Say{"m3"}));
  CHECK(t.host->counters().dead_letters == 1);
  CHECK(t.events.wait_report("dead letter say for"));
  t.door->open();
  REQUIRE(eventually([&] { return t.call(1, Say{"m4"})->wait() == "ok"; }));
  CHECK(t.said().size() == 2);

  Limited oldest(1'000, "drop_oldest", 10'000);
  for (int i = 0; i < 9; ++i) CHECK(oldest.cast(1, Say{"m" + std::to_string(i) + std::string(800, 'x')}));
  CHECK(oldest.cast(1, Say{"m9" + std::string(5'000, 'x')}));
  CHECK(oldest.host->counters().dead_letters == 0);
  CHECK(oldest.cast(1, Say{"m10"}));
  CHECK(oldest.host->counters().dead_letters >= 2);
  CHECK(oldest.host->counters().dead_letters <= 5);
  oldest.door->open();
  REQUIRE(eventually([&] { return !oldest.said().empty() && oldest.said().back() == "m10"; }));
  CHECK(oldest.said().size() == 11 - oldest.host->counters().dead_letters);
}

TEST_CASE("a full mailbox under drop_oldest drops the oldest waiting message and answers it overloaded") {
  Limited t(2, "drop_oldest");
  const auto first = t.call(1, Say{"m1"});
  CHECK(t.cast(1, Say{"m2"}));
  CHECK(t.cast(1, Say{"m3"}));
  CHECK(first->wait() == "overloaded");
  CHECK(t.cast(1, Say{"m4"}));
  CHECK(t.host->counters().dead_letters == 1);
  t.door->open();
  REQUIRE(t.log->wait_for("m4"));
  CHECK(t.said() == std::vector<std::string>{"m3", "m4"});
}

TEST_CASE("drop_oldest reaches messages that the running turn has taken already") {
  Limited t(3, "drop_oldest");
  for (const auto* text : {"m1", "m2", "m3"}) CHECK(t.cast(1, Say{text}));
  t.cast(1, Wait{});  // drops m1
  t.door->open();
  REQUIRE(t.log->wait_for("m3"));
  CHECK(t.said() == std::vector<std::string>{"m2", "m3"});
}

TEST_CASE("a full mailbox under block holds a sending thread until there is room") {
  Limited t(2, "block");
  CHECK(t.cast(1, Say{"m1"}));
  CHECK(t.cast(1, Say{"m2"}));
  std::atomic<bool> sent{false};
  std::thread sender([&] {
    CHECK(t.cast(1, Say{"m3"}));
    sent = true;
  });
  t.post(1, Say{"by the loop"}, 3);  // the loop never waits
  CHECK(t.events.wait_answer(3) == "overloaded");
  CHECK_FALSE(sent);
  t.door->open();
  sender.join();
  REQUIRE(t.log->wait_for("m3"));
  CHECK(t.said() == std::vector<std::string>{"m1", "m2", "m3"});
}

TEST_CASE("a sender that waits for room is released when the worker stops") {
  Limited t(1, "block");
  CHECK(t.cast(1, Say{"m1"}));
  std::atomic<int> delivered{-1};
  std::thread sender([&] { delivered = t.cast(1, Say{"m2"}) ? 1 : 0; });
  t.host->stop(1, StopReason::user);
  sender.join();
  CHECK(delivered == 0);
  t.door->open();
  CHECK(t.events.wait_down(1).leftovers.size() == 1);
}

TEST_CASE("a message without a handler is answered no_such_message, a cast is a dead letter") {
  Hosted t;
  t.add<Scribe>("scribe", t.log, t.door);
  t.run();
  t.start_up(1, "scribe");
  const auto answer = t.call(1, Unknown{});
  CHECK(answer->wait() == "no_such_message");
  CHECK(answer->answer().error().message.find("'unknown'") != std::string::npos);
  t.post(1, Unknown{}, 8);
  CHECK(t.events.wait_answer(8) == "no_such_message");
  t.cast(1, Unknown{});
  CHECK(eventually([&] { return t.host->counters().dead_letters == 1; }));
}

TEST_CASE("a raw handler takes what no other handler takes") {
  Hosted t;
  t.add<RawWorker>("raw", t.log);
  t.run();
  t.start_up(1, "raw");
  CHECK(t.call(1, Unknown{})->wait() == "ok");
  CHECK(t.call(1, Say{"typed"})->wait() == "ok");
  auto failed = std::make_shared<CaughtAnswer>();
  CHECK(t.host->deliver(1, {"any", "", false, {}, failed}));
  CHECK(failed->wait() == "invalid");
  CHECK(t.log->lines() == std::vector<std::string>{"raw unknown", "typed", "raw any"});
}

TEST_CASE("deliver leaves the message untouched when the worker does not run here") {
  Hosted t;
  t.add<Scribe>("scribe", t.log, t.door);
  t.run();
  PostedMessage message{"say", std::string(100, 'x'), false, {}, {}};
  CHECK_FALSE(t.host->deliver(99, std::move(message)));
  CHECK(message.message == "say");               // NOLINT(bugprone-use-after-move): that is the promise
  CHECK(message.body == std::string(100, 'x'));  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("a worker with endless work does not keep the others from running on a single thread") {
  struct Feeder : Worker {
    static void handlers(Handlers<Feeder>& h) { h.on<&Feeder::say>(); }
    void say(const Say& m) { ctx().cast(ctx().id(), m); }
  };
  Hosted t;
  t.config.pool_threads = 1;
  t.add<Scribe>("scribe", t.log, t.door);
  t.add<Feeder>("feeder");
  t.events.routes["feeder-1"] = 1;
  t.run();
  t.start_up(1, "feeder");
  t.start_up(2, "scribe");
  t.cast(1, Say{"on and on"});
  CHECK(t.call(2, Say{"m"})->wait() == "ok");
  const auto turns = t.host->counters().turns;
  CHECK(eventually([&] { return t.host->counters().turns > turns + 100; }));
  CHECK(t.call(2, Say{"m"})->wait() == "ok");
}

}  // namespace worker_host_mailbox_test
