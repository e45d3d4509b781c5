#include <doctest/doctest.h>

#include <csignal>

#include "tests/unit/runtime/hub_fixture.hpp"

namespace processhub::hub_test::hub_life_test {
namespace {

TEST_CASE("hub: without a network it runs, joined and alone, under its name") {
  auto hub = start();
  CHECK(hub.node().name() == "alone");
  CHECK(hub.node().incarnation() > 0);
  CHECK(hub.endpoint().empty());
  CHECK(hub.hub_id() == "default");
  CHECK(hub.termination_reason().empty());
  const auto nodes = hub.nodes();
  REQUIRE(nodes.size() == 1);
  CHECK(nodes[0].id == hub.node());
  CHECK(nodes[0].state == NodeState::up);
  CHECK(hub.nodes(false).empty());
  CHECK(eventually([&] { return !hub.is_locked(); }));  // the joining lock goes when it has settled
  CHECK_FALSE(hub.is_partitioned());
}

TEST_CASE("hub: a config, a strategy or a worker type that is wrong is refused with a name") {
  auto c = config();
  c.distribution.name = "by_dice";
  auto hub = Hub::start(c, WorkerTypes{});
  REQUIRE_FALSE(hub);
  CHECK(hub.error().message.find("by_dice") != std::string::npos);
  c = config();
  c.log_level = "loud";
  CHECK_FALSE(Hub::start(c, WorkerTypes{}));
  auto twice = Hub::start(config(), WorkerTypes{}.add<Counter>("counter").add<Counter>("counter"));
  REQUIRE_FALSE(twice);
  CHECK(twice.error().message.find("counter") != std::string::npos);
}

TEST_CASE("hub: two hubs of one program do not know each other") {
  auto first = start();
  auto c = config();
  c.hub_id = "other";
  auto second = start(c);
  start_counter(first, "c1");
  CHECK_FALSE(second.lookup("c1"));
  CHECK(first.node() != second.node());
}

TEST_CASE("hub: two hubs of one program place by load, each its own children") {
  auto c = config();
  c.distribution = {"load_balancer", {{"push_interval", "100ms"}}};
  auto first = start(c);
  c.hub_id = "other";
  auto second = start(c);
  for (auto* hub : {&first, &second}) {
    start_counter(*hub, "c1");
    start_counter(*hub, "c2");
    CHECK(hub->lookup("c1")->instances.size() == 1);
  }
  first.stop();
  CHECK(second.lookup("c2"));
  start_counter(second, "c3");
}

TEST_CASE("hub: it can be moved, and assigned over another, which stops that one") {
  auto hub = start();
  start_counter(hub, "c1");
  auto moved = std::move(hub);
  CHECK(moved.lookup("c1"));
  moved = start();
  CHECK_FALSE(moved.lookup("c1"));
}

TEST_CASE("hub: after stop everything is answered stopped, and stopping twice is fine") {
  auto hub = start();
  start_counter(hub, "c1");
  CHECK(hub.stop());
  CHECK(hub.stop());
  const auto call = hub.call<Total>("c1", Get{}, 5s).get();
  REQUIRE_FALSE(call);
  CHECK(call.error().code == ErrorCode::stopped);
  CHECK(hub.cast("c1", Get{}).error().code == ErrorCode::stopped);
  CHECK(hub.start_child({.id = "c2", .type = "counter"}).get().error().code == ErrorCode::stopped);
  CHECK(hub.stop_child("c1").get().error().code == ErrorCode::stopped);
  CHECK(hub.lock("no").get().error().code == ErrorCode::stopped);
  CHECK(hub.dispatch("no", {}).error().code == ErrorCode::stopped);
}

TEST_CASE("hub: requests that are open when it goes away end stopped") {
  Future<Total> call;
  {
    auto hub = start();
    start_counter(hub, "c1");
    call = hub.call<Total>("c1", Never{}, 1h);
  }
  const auto answer = call.get();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code != ErrorCode::timeout);
}

TEST_CASE("hub: stop runs on_stop of every worker") {
  static std::atomic<int> stopped{0};
  struct Polite : Worker {
    void on_stop(StopReason) override { ++stopped; }
  };
  auto hub = Hub::start(config(), WorkerTypes{}.add<Polite>("polite"));
  REQUIRE(hub);
  REQUIRE(*hub->start_children({{.id = "a", .type = "polite"},
                                {.id = "b", .type = "polite", .executor = Executor::dedicated}})
               .get());
  REQUIRE(hub->stop());
  CHECK(stopped == 2);
}

TEST_CASE("hub: SIGTERM ends wait_for_signal, which stops the hub") {
  sigset_t term{};
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  REQUIRE(pthread_sigmask(SIG_BLOCK, &term, nullptr) == 0);
  auto hub = start();
  REQUIRE(raise(SIGTERM) == 0);
  hub.wait_for_signal();
  CHECK(hub.cast("c1", Get{}).error().code == ErrorCode::stopped);
  REQUIRE(pthread_sigmask(SIG_UNBLOCK, &term, nullptr) == 0);
}

TEST_CASE("hub: stop from another thread ends wait_for_signal") {
  auto hub = start();
  std::thread stopper([&] { CHECK(hub.stop()); });
  hub.wait_for_signal();
  stopper.join();
}

TEST_CASE("hub: waiting for itself inside a callback is refused, not a deadlock") {
  auto hub = start();
  start_counter(hub, "c1");
  std::atomic<int> code{0};
  hub.call<Total>("c1", Get{}, 5s).then([&](const Result<Total>&) {
    const auto stopped = hub.stop();
    code = stopped ? -1 : static_cast<int>(stopped.error().code);
  });
  REQUIRE(eventually([&] { return code != 0; }));
  // The answer may have been there before then(): then the callback ran right here, where stopping is fine.
  CHECK((code == -1 || code == static_cast<int>(ErrorCode::would_block)));
}

TEST_CASE("hub: promote gives it a name and a network, and its children run again") {
  auto hub = start();
  start_counter(hub, "c1", 5);
  const auto promoted = hub.promote("grown-up", "tcp://127.0.0.1:0");
  INFO((promoted ? std::string() : promoted.error().message));
  REQUIRE(promoted);
  CHECK(hub.node().name() == "grown-up");
  CHECK(hub.endpoint().rfind("tcp://127.0.0.1:", 0) == 0);
  REQUIRE(hub.wait_joined(kPatience));
  const auto total = hub.call<Total>("c1", Get{}, 10s).get();
  REQUIRE(total);
  CHECK(total->total == 5);
  CHECK(hub.promote("again", "tcp://127.0.0.1:0").error().code == ErrorCode::invalid);
}

TEST_CASE("hub: a promote to an address that cannot be bound changes nothing") {
  auto hub = start();
  start_counter(hub, "c1", 5);
  CHECK_FALSE(hub.promote("grown-up", "tcp://127.0.0.1:99999"));
  CHECK(hub.node().name() == "alone");
  CHECK(hub.call<Total>("c1", Get{}, 10s).get());
}

}  // namespace
}  // namespace processhub::hub_test::hub_life_test
