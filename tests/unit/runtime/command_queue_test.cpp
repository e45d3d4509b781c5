#include "core/runtime/command_queue.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <memory>
#include <string>
#include <thread>

#include "core/runtime/command.hpp"

namespace processhub::runtime::command_queue_test {
namespace {

using Queue = CommandQueue<std::unique_ptr<int>>;
using Batch = std::vector<std::unique_ptr<int>>;

TEST_CASE("command queue: what is pushed is taken in order, all at once") {
  Queue queue(10);
  CHECK(queue.push(std::make_unique<int>(1)) == Pushed::ok);
  CHECK(queue.push(std::make_unique<int>(2)) == Pushed::ok);
  Batch batch;
  Batch express;
  REQUIRE(queue.take(batch, express));
  REQUIRE(batch.size() == 2);
  CHECK(*batch[0] == 1);
  CHECK(*batch[1] == 2);
  batch.clear();
  CHECK_FALSE(queue.take(batch, express));
}

TEST_CASE("command queue: only the first push after the reader went to sleep wakes it") {
  Queue queue(10);
  REQUIRE(queue.prepare_to_sleep());
  CHECK(queue.push(std::make_unique<int>(1)) == Pushed::wake);
  CHECK(queue.push(std::make_unique<int>(2)) == Pushed::ok);
  CHECK_FALSE(queue.prepare_to_sleep());
  Batch batch;
  Batch express;
  REQUIRE(queue.take(batch, express));
  CHECK(queue.push(std::make_unique<int>(3)) == Pushed::ok);
}

TEST_CASE(
    "command queue: over its limit it refuses and leaves the item to the caller, but what must come is "
    "taken") {
  Queue queue(1);
  CHECK(queue.push(std::make_unique<int>(1)) == Pushed::ok);
  auto second = std::make_unique<int>(2);
  CHECK(queue.push(std::move(second)) == Pushed::full);
  REQUIRE(second != nullptr);
  CHECK(queue.push_always(std::move(second)) == Pushed::ok);
}

TEST_CASE("command queue: bytes are bounded too, and an empty queue takes any") {
  Queue queue(10, 100);
  CHECK(queue.push(std::make_unique<int>(1), Place::line, 500) == Pushed::ok);
  CHECK(queue.push(std::make_unique<int>(2), Place::line, 1) == Pushed::full);
  CHECK(queue.push_always(std::make_unique<int>(3)) == Pushed::ok);
  Batch batch;
  Batch express;
  REQUIRE(queue.take(batch, express));
  CHECK(queue.push(std::make_unique<int>(4), Place::line, 60) == Pushed::ok);
  CHECK(queue.push(std::make_unique<int>(5), Place::line, 40) == Pushed::ok);
  CHECK(queue.push(std::make_unique<int>(6), Place::line, 1) == Pushed::full);
}

TEST_CASE("command queue: what has to do with nothing that waits passes it, but no fence") {
  Queue queue(10);
  queue.push(std::make_unique<int>(1));
  queue.push(std::make_unique<int>(2), Place::alone);
  queue.push(std::make_unique<int>(3), Place::fence);
  queue.push(std::make_unique<int>(4), Place::alone);
  queue.push(std::make_unique<int>(5), Place::express);
  const auto values = [](const Batch& batch) {
    std::vector<int> out;
    for (const auto& item : batch) out.push_back(*item);
    return out;
  };
  Batch line;
  Batch express;
  REQUIRE(queue.take(line, express));
  CHECK(values(line) == std::vector<int>{1, 3, 4});
  CHECK(values(express) == std::vector<int>{2, 5});

  express.clear();  // the fence is taken, and not yet dealt with
  queue.push(std::make_unique<int>(6), Place::alone);
  queue.push(std::make_unique<int>(7), Place::express);
  queue.take_express(express);
  CHECK(values(express) == std::vector<int>{7});
  queue.passed_fence();
  express.clear();
  queue.push(std::make_unique<int>(8), Place::alone);
  queue.take_express(express);
  CHECK(values(express) == std::vector<int>{8});
  line.clear();
  express.clear();
  REQUIRE(queue.take(line, express));
  CHECK(values(line) == std::vector<int>{6});
  CHECK(express.empty());
  CHECK(queue.prepare_to_sleep());
}

TEST_CASE("command queue: after close it refuses everything and still gives what it has") {
  Queue queue(10);
  CHECK(queue.push(std::make_unique<int>(1)) == Pushed::ok);
  queue.close();
  auto late = std::make_unique<int>(2);
  CHECK(queue.push(std::move(late)) == Pushed::closed);
  CHECK(queue.push_always(std::move(late)) == Pushed::closed);
  CHECK(late != nullptr);
  Batch batch;
  Batch express;
  CHECK(queue.take(batch, express));
}

/// A reader that sleeps as the loop does: on something that only `wake` answers ring.
struct Sleeper {
  std::mutex mutex{};
  std::condition_variable rung{};
  bool bell = false;

  void ring() {
    std::lock_guard lock(mutex);
    bell = true;
    rung.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex);
    rung.wait(lock, [&] { return std::exchange(bell, false); });
  }
};

TEST_CASE("command queue: no wake-up is lost and each writer's commands keep their order") {
  constexpr std::uint64_t kEach = 20'000;
  CommandQueue<std::uint64_t> queue(1U << 20);
  Sleeper sleeper;
  auto write = [&](std::uint64_t writer) {
    for (std::uint64_t i = 0; i < kEach; ++i) {
      if (queue.push(writer << 32 | i) == Pushed::wake) sleeper.ring();
    }
  };
  std::thread first(write, 0);
  std::thread second(write, 1);
  std::vector<std::uint64_t> batch;
  std::vector<std::uint64_t> express;
  std::uint64_t next[2] = {0, 0};
  int out_of_order = 0;
  while (next[0] + next[1] < 2 * kEach) {
    if (queue.prepare_to_sleep()) sleeper.wait();
    queue.take(batch, express);
    for (const auto item : batch) out_of_order += (item & 0xFFFFFFFF) == next[item >> 32]++ ? 0 : 1;
    batch.clear();
  }
  first.join();
  second.join();
  CHECK(out_of_order == 0);
}

TEST_CASE("loop traffic: a lane is quiet again when all that entered has left") {
  LoopTraffic traffic;
  const auto lane = LoopTraffic::lane_of(0x123456789abcdef0);
  CHECK(traffic.quiet(lane));
  CHECK(traffic.enter(lane));
  CHECK_FALSE(traffic.enter(lane));
  traffic.leave(lane);
  CHECK_FALSE(traffic.quiet(lane));
  traffic.leave(lane);
  CHECK(traffic.quiet(lane));
  CHECK_FALSE(traffic.enter(LoopTraffic::kNone));
  CHECK(traffic.quiet(lane));
}

TEST_CASE("loop traffic: while a broadcast is under way no lane is quiet") {
  LoopTraffic traffic;
  const auto lane = LoopTraffic::lane_of(7);
  traffic.enter(LoopTraffic::kEveryLane);
  CHECK_FALSE(traffic.quiet(lane));
  traffic.leave(LoopTraffic::kEveryLane);
  CHECK(traffic.quiet(lane));
}

}  // namespace
}  // namespace processhub::runtime::command_queue_test
