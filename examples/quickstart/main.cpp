// The program of the quickstart guide: two children, a message, and a call that one worker answers with the
// help of another.
#include <processhub/processhub.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

namespace ph = processhub;
using namespace std::chrono_literals;

// clang-format off
struct CounterArgs { std::int64_t start = 0; std::string audit{}; PROCESSHUB_FIELDS(start, audit) };
struct Add     { std::int64_t by = 0;    PROCESSHUB_FIELDS(by) };
struct SumWith { std::string other{};    PROCESSHUB_FIELDS(other) };
struct Get     {                         PROCESSHUB_FIELDS() };
struct Total   { std::int64_t total = 0; PROCESSHUB_FIELDS(total) };
// clang-format on

class Counter : public ph::Worker {
 public:
  using Args = CounterArgs;
  static void handlers(ph::Handlers<Counter>& h) {
    h.on<&Counter::add>().on<&Counter::get>().on<&Counter::sum_with>();
  }
  explicit Counter(Args a) : args_(std::move(a)), state_{args_.start} {}
  Total& state() { return state_; }  // handed over on a move
  void on_start(ph::StartReason) override {
    if (!args_.audit.empty()) ctx().every(1s, [this] { ctx().cast(args_.audit, state_); });
  }

 private:
  Total add(const Add& m) {
    state_.total += m.by;
    return state_;
  }
  Total get(const Get&) { return state_; }
  void sum_with(const SumWith& m, ph::Reply<Total> reply) {  // answers later, blocks nobody
    ctx().call<Total>(m.other, Get{}, 1s, [this, reply](ph::Result<Total> r) {
      reply(Total{state_.total + (r ? r->total : 0)});
    });
  }
  Args args_;
  Total state_;
};

int main(int argc, char** argv) {
  auto config = ph::HubConfig::from_file(argc > 1 ? argv[1] : "node.ini");
  if (!config) return std::fprintf(stderr, "%s\n", config.error().c_str()), 2;
  auto hub = ph::Hub::start(*config, ph::WorkerTypes{}.add<Counter>("counter"));
  if (!hub) return std::fprintf(stderr, "%s\n", hub.error().c_str()), 1;
  hub->start_children(
         {{.id = "c1", .type = "counter", .args = CounterArgs{.start = 5}}, {.id = "c2", .type = "counter"}})
      .get();
  hub->cast("c1", Add{2});
  if (auto t = hub->call<Total>("c1", SumWith{"c2"}, 2s).get()) std::printf("%ld\n", long(t->total));
  hub->wait_for_signal();  // SIGTERM: drain, leave
}
