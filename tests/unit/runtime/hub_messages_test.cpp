#include <doctest/doctest.h>

#include <mutex>
#include <set>
#include <string>

#include "tests/unit/runtime/hub_fixture.hpp"

namespace processhub::hub_test::hub_messages_test {
namespace {

TEST_CASE("hub messages: a call is answered, typed, named and raw") {
  auto hub = start();
  start_counter(hub, "c1", 5);
  CHECK(hub.call<Total>("c1", Add{2}, 10s).get().value().total == 7);
  const auto named = hub.call_raw("c1", "get", encode(Get{}), 10s, true).get();
  REQUIRE(named);
  CHECK(*named == encode_named(Total{7}));
  const auto positional = hub.call_raw("c1", "get", encode(Get{}), 10s, false).get();
  REQUIRE(positional);
  CHECK(*positional == encode(Total{7}));
}

TEST_CASE("hub messages: what cannot be answered says why") {
  auto hub = start();
  start_counter(hub, "c1");
  CHECK(hub.call<Total>("nobody", Get{}, 10s).get().error().code == ErrorCode::no_such_child);
  CHECK(hub.call_raw("c1", "no_such", {}, 10s, false).get().error().code == ErrorCode::no_such_message);
  CHECK(hub.call_raw("c1", "add", "\xc1", 10s, false).get().error().code == ErrorCode::no_such_message);
  CHECK(hub.call<Total>("c1", Crash{}, 10s).get().error().code == ErrorCode::worker_crashed);
}

TEST_CASE(
    "hub messages: a call without an answer ends at its timeout, with the child and the time in the error") {
  auto hub = start();
  start_counter(hub, "c1");
  const auto late = hub.call<Total>("c1", Never{}, 30ms).get();
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ErrorCode::timeout);
  CHECK(late.error().message.find("c1") != std::string::npos);
  CHECK(late.error().message.find("30 ms") != std::string::npos);
}

TEST_CASE("hub messages: a worker that stops ends the calls it has not answered") {
  auto hub = start();
  start_counter(hub, "c1");
  const auto open = hub.call<Total>("c1", Never{}, 1h);
  REQUIRE(*hub.stop_child("c1").get());
  CHECK_FALSE(open.get());
}

TEST_CASE("hub messages: callbacks run once, and a chain of them works") {
  auto hub = start();
  start_counter(hub, "c1");
  std::atomic<int> runs{0};
  std::atomic<std::int64_t> total{0};
  hub.call<Total>("c1", Add{1}, 10s).then([&](const Result<Total>&) {
    ++runs;
    hub.call<Total>("c1", Add{1}, 10s).then([&](const Result<Total>& second) {
      total = second ? second->total : -1;
      ++runs;
    });
  });
  REQUIRE(eventually([&] { return runs == 2; }));
  CHECK(total == 2);
}

TEST_CASE("hub messages: a worker calls another without blocking, and is told when there is none") {
  auto hub = start();
  start_counter(hub, "c1", 1);
  start_counter(hub, "c2", 41);
  CHECK(hub.call<Total>("c1", AskFor{"c2"}, 10s).get().value().total == 42);
  CHECK(hub.call<Total>("c1", AskFor{"c1"}, 10s).get().value().total == 2);
  CHECK(hub.call<Total>("c1", AskFor{"nobody"}, 10s).get().value().total ==
        -static_cast<std::int64_t>(ErrorCode::no_such_child));
}

TEST_CASE("hub messages: a broadcast reaches every child with the tag once") {
  auto hub = start();
  REQUIRE(*hub.start_children({{.id = "a", .type = "counter", .tag = "red"},
                               {.id = "b", .type = "counter", .tag = "red"},
                               {.id = "c", .type = "counter"}})
               .get());
  REQUIRE(hub.broadcast("red", Add{3}));
  const auto total = [&](const char* id) { return hub.call<Total>(id, Get{}, 10s).get().value().total; };
  REQUIRE(eventually([&] { return total("a") == 3 && total("b") == 3; }));
  CHECK(total("c") == 0);
}

TEST_CASE("hub messages: one sender's messages stay in order when the child appears under way") {
  auto hub = start();
  for (int round = 0; round < 5; ++round) {
    const auto id = "c" + std::to_string(round);
    // The first ones go through the loop, where they wait for the child; the direct path opens in the middle.
    const auto started = hub.start_child({.id = id, .type = "counter"});
    while (!hub.lookup(id) && !started.ready()) std::this_thread::yield();
    for (std::int64_t i = 0; i < 20'000; ++i) REQUIRE(hub.cast(id, Order{i}));
    REQUIRE(started.get());
    CHECK(hub.call<Total>(id, Get{}, 20s).get().value().total == 0);
  }
}

TEST_CASE("hub messages: a broadcast is not overtaken by a later cast of the same sender") {
  auto hub = start();
  REQUIRE(*hub.start_child({.id = "c1", .type = "counter", .tag = "red"}).get());
  for (std::int64_t i = 0; i < 2'000; i += 2) {
    REQUIRE(hub.broadcast("red", Order{i}));
    REQUIRE(hub.cast("c1", Order{i + 1}));
  }
  CHECK(hub.call<Total>("c1", Get{}, 20s).get().value().total == 0);
}

TEST_CASE("hub messages: casts and calls of many threads all arrive") {
  auto hub = start();
  start_counter(hub, "c1");
  constexpr int kEach = 2'000;
  auto send = [&] {
    for (int i = 0; i < kEach; ++i) {
      if (i % 10 == 0) {
        CHECK(hub.call<Total>("c1", Add{1}, 20s).get());
      } else {
        CHECK(hub.cast("c1", Add{1}));
      }
    }
  };
  std::thread first(send);
  std::thread second(send);
  first.join();
  second.join();
  CHECK(hub.call<Total>("c1", Get{}, 20s).get().value().total == 2 * kEach);
}

TEST_CASE("hub messages: calls that wait at a crashing worker are answered by its next life") {
  auto hub = start();
  start_counter(hub, "c1");
  REQUIRE(hub.cast("c1", Crash{}));
  std::vector<Future<Total>> calls;
  for (int i = 0; i < 100; ++i) calls.push_back(hub.call<Total>("c1", Get{}, 20s));
  for (const auto& call : calls) {
    const auto answer = call.get();
    CHECK_MESSAGE(answer, (answer ? std::string() : answer.error().message));
  }
}

TEST_CASE("hub messages: with a full command queue callers are told overloaded at once") {
  auto c = config();
  c.command_queue = 1;
  auto hub = start(c);
  // Messages to a child that is not there pass the loop; faster than it turns they find the queue of one
  // full.
  CHECK(eventually([&] {
    for (int i = 0; i < 1000; ++i) {
      const auto sent = hub.cast("nobody", Get{});
      if (!sent) return sent.error().code == ErrorCode::overloaded;
    }
    return false;
  }));
}

TEST_CASE("hub messages: the counters of the loop are published") {
  auto hub = start();
  start_counter(hub, "c1");
  CHECK(hub.call<Total>("c1", Get{}, 10s).get());
  CHECK(eventually([&] { return hub.status().stats.loop_lag_max.count() > 0; }));
  CHECK(hub.status().node == hub.node());
  CHECK(hub.status().joined);
}

TEST_CASE("hub messages: what a full mailbox drops is told to hooks, and counted") {
  std::mutex mutex;
  std::uint64_t told = 0;
  std::set<std::string> names;
  auto c = config();
  c.mailbox_limit = 2;
  auto hub = start(c);
  start_counter(hub, "x");
  REQUIRE(hub.register_hooks({{"dead",
                               "dead_letter",
                               1,
                               [&](const HookEvent& e) {
                                 const auto& letter = std::get<hook::DeadLetter>(e);
                                 std::lock_guard lock(mutex);
                                 told += letter.count;
                                 names.insert(letter.id + " " + letter.message);
                               },
                               {}}}));
  for (int i = 0; i < 20'000; ++i) static_cast<void>(hub.cast("x", Add{1}));
  CHECK(eventually([&] {
    const auto total = hub.call<Total>("x", Get{}).get();
    std::lock_guard lock(mutex);
    return total && static_cast<std::uint64_t>(total->total) + told == 20'000;
  }));
  std::lock_guard lock(mutex);
  CHECK(names == std::set<std::string>{"x add"});
  CHECK(hub.status().stats.dead_letters == told);
}

}  // namespace
}  // namespace processhub::hub_test::hub_messages_test
