// Worker classes for the tests of the test kit: as a user would write them.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "processhub/processhub.hpp"
#include "processhub/testing.hpp"

namespace kit_test {

namespace ph = processhub;
using namespace std::chrono_literals;

// clang-format off
struct CounterArgs { std::int64_t start = 0; PROCESSHUB_FIELDS(start) };
struct Add     { std::int64_t by = 0;    PROCESSHUB_FIELDS(by) };
struct Get     {                         PROCESSHUB_FIELDS() };
struct Total   { std::int64_t total = 0; PROCESSHUB_FIELDS(total) };
struct SumWith { std::string other{};    PROCESSHUB_FIELDS(other) };
struct AddLater { std::int64_t ms = 0;   PROCESSHUB_FIELDS(ms) };
struct Break   {                         PROCESSHUB_FIELDS() };
struct Forget  {                         PROCESSHUB_FIELDS() };
struct Bye     {                         PROCESSHUB_FIELDS() };
struct Unheard {                         PROCESSHUB_FIELDS() };
// clang-format on

/// What happened to workers, in order; tests read it when the object is gone.
inline std::vector<std::string>& diary() {
  static std::vector<std::string> lines;
  return lines;
}

class Counter : public ph::Worker {
 public:
  using Args = CounterArgs;
  static void handlers(ph::Handlers<Counter>& h) {
    h.on<&Counter::add>().on<&Counter::get>().on<&Counter::sum_with>().on<&Counter::add_later>();
    h.on<&Counter::breaks>().on<&Counter::forget>().on<&Counter::bye>();
  }
  explicit Counter(const Args& args) : total{args.start} {}

  void on_start(ph::StartReason reason) override {
    started_as = reason;
    note("start " + std::string(ph::to_string(reason)));
  }
  void on_stop(ph::StopReason reason) override { note("stop " + std::string(ph::to_string(reason))); }

  Total total{};
  ph::StartReason started_as{};
  std::uint32_t restarts() const { return ctx().generation().restarts; }
  ph::Role role() const { return ctx().role(); }

 private:
  void note(const std::string& what) {
    diary().push_back(ctx().id() + "@" + std::string(ctx().node().name()) + " " + what);
  }
  Total add(const Add& m) {
    total.total += m.by;
    return total;
  }
  Total get(const Get&) { return total; }
  void sum_with(const SumWith& m, ph::Reply<Total> reply) {
    ctx().call<Total>(m.other, Get{}, 1s, [this, reply](ph::Result<Total> r) {
      if (!r) return reply.fail(r.error());
      reply(Total{total.total + r->total});
    });
  }
  void add_later(const AddLater& m, ph::Reply<Total> reply) {
    ctx().after(std::chrono::milliseconds(m.ms), [this, reply] {
      ++total.total;
      reply(total);
    });
  }
  void breaks(const Break&) { throw std::runtime_error("it broke"); }
  void forget(const Forget&, ph::Reply<Total>) {}
  void bye(const Bye&) { ctx().stop_self(); }
};

/// Counts its periods.
class Ticker : public ph::Worker {
 public:
  void on_start(ph::StartReason) override {
    timer_ = ctx().every(1s, [this] {
      if (++ticks == 5) ctx().cancel(timer_);
    });
    ctx().after(1h, [this] { hour_passed = true; });
  }
  int ticks = 0;
  bool hour_passed = false;

 private:
  ph::TimerId timer_ = 0;
};

/// Cannot let go: it asks for things even in its destructor.
class Clinging : public ph::Worker {
 public:
  void on_start(ph::StartReason) override {
    started_ = true;
    ctx().every(1s, [this] { ask(); });
  }
  ~Clinging() override {
    if (started_) ask();
  }

 private:
  void ask() {
    ctx().after(1ms, [] {});
    ctx().cast("c1", Add{1});
    ctx().call<Total>("c1", Get{}, 1s, [](const ph::Result<Total>&) {});
  }
  bool started_ = false;
};

/// Cannot start.
class Faulty : public ph::Worker {
 public:
  Faulty() { throw std::runtime_error("no disk"); }
};

inline ph::WorkerTypes types() {
  ph::WorkerTypes out;
  out.add<Counter>("counter").add<Ticker>("ticker").add<Faulty>("faulty").add<Clinging>("clinging");
  return out;
}

inline ph::testing::ClusterOptions options(std::uint64_t seed = 7) {
  ph::testing::ClusterOptions out;
  out.seed = seed;
  out.types = types();
  diary().clear();
  return out;
}

inline ph::ChildSpec counter(std::string id, std::int64_t start = 0) {
  return {.id = std::move(id), .type = "counter", .args = CounterArgs{.start = start}};
}

}  // namespace kit_test
