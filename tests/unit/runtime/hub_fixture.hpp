// Hubs without a network for unit tests, and the workers they run.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "processhub/processhub.hpp"
#include "tests/support/counter_messages.hpp"

namespace processhub::hub_test {

using namespace std::chrono_literals;
using namespace counter_messages;

inline constexpr auto kPatience = std::chrono::seconds(20);

/// Polls until the condition holds; false if it does not within the patience of all tests.
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

struct Never {
  PROCESSHUB_FIELDS()
};
struct Order {
  std::int64_t number = 0;
  PROCESSHUB_FIELDS(number)
};
struct AskFor {
  std::string other{};
  PROCESSHUB_FIELDS(other)
};

class Counter : public Worker {
 public:
  using Args = CounterArgs;
  static void handlers(Handlers<Counter>& h) {
    h.on<&Counter::add>()
        .on<&Counter::get>()
        .on<&Counter::crash>()
        .on<&Counter::never>()
        .on<&Counter::order>();
    h.on<&Counter::ask_for>();
  }
  explicit Counter(Args args) : total_(args.start) {}

 private:
  Total add(const Add& m) { return {total_ += m.by}; }
  Total get(const Get&) { return {total_}; }
  void crash(const Crash&) { throw std::runtime_error("asked to"); }
  void never(const Never&, Reply<Total> reply) { kept_.push_back(std::move(reply)); }
  /// Counts the messages that came out of order.
  void order(const Order& m) {
    if (m.number != next_) ++total_;
    next_ = m.number + 1;
  }
  void ask_for(const AskFor& m, Reply<Total> reply) {
    ctx().call<Total>(m.other, Get{}, 5s, [this, reply](const Result<Total>& answer) {
      reply(Total{answer ? total_ + answer->total : -static_cast<std::int64_t>(answer.error().code)});
    });
  }

  std::int64_t total_;
  std::int64_t next_ = 0;
  std::vector<Reply<Total>> kept_{};
};

inline HubConfig config() {
  HubConfig c;
  c.name = "alone";
  c.log_level = "off";
  c.pool_threads = 2;
  return c;
}

inline Hub start(HubConfig c = config()) {
  auto hub = Hub::start(std::move(c), WorkerTypes{}.add<Counter>("counter"));
  if (!hub) FAIL(hub.error().message);
  REQUIRE(hub->wait_joined(kPatience));
  return std::move(*hub);
}

inline void start_counter(Hub& hub, const std::string& id, std::int64_t from = 0) {
  const auto started = hub.start_child({.id = id, .type = "counter", .args = CounterArgs{from}}).get();
  REQUIRE(started);
  REQUIRE(*started);
}

}  // namespace processhub::hub_test
