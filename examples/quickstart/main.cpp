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
  auto started = hub->start_children({{.id = "c1", .type = "counter", .args = CounterArgs{.start = 5}},
                                      {.id = "c2", .type = "counter"}})
                     .get();
  if (!started) return std::fprintf(stderr, "%s\n", started.error().c_str()), 1;    // the call as a whole
  for (const auto& e : started->errors()) std::fprintf(stderr, "%s\n", e.c_str());  // one per child
  hub->cast("c1", Add{2});
  auto sum = hub->call<Total>("c1", SumWith{"c2"}, 2s).get();
  if (!sum) return std::fprintf(stderr, "%s\n", sum.error().c_str()), 1;
  std::printf("%ld\n", long(sum->total));
  hub->wait_for_signal();                      // SIGTERM: drain, leave
  const auto why = hub->termination_reason();  // the cluster ended this node: its name is taken, say
  return why.empty() ? 0 : (std::fprintf(stderr, "%s\n", why.c_str()), 1);
}
