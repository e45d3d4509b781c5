// A stranger's test of his own worker, on the installed test kit.
#include <processhub/processhub.hpp>
#include <processhub/testing.hpp>

#include <cstdint>
#include <cstdio>

namespace ph = processhub;
using namespace std::chrono_literals;

// clang-format off
struct Add   { std::int64_t by = 0;    PROCESSHUB_FIELDS(by) };
struct Total { std::int64_t total = 0; PROCESSHUB_FIELDS(total) };
// clang-format on

class Counter : public ph::Worker {
 public:
  static void handlers(ph::Handlers<Counter>& h) { h.on<&Counter::add>(); }
  void on_start(ph::StartReason) override {
    ctx().every(1h, [this] { ++state.total; });
  }
  Total state{};

 private:
  Total add(const Add& m) {
    state.total += m.by;
    return state;
  }
};

int main() {
  ph::testing::Cluster cluster({.types = ph::WorkerTypes{}.add<Counter>("counter")});
  cluster.add_nodes({"a", "b"});
  const auto started = cluster.start("a", {{.id = "c1", .type = "counter"}});
  if (!started || !*started) return std::fputs("start", stderr), 1;
  cluster.run_for(2h + 1s);
  const auto total = cluster.call<Total>("b", "c1", Add{40});
  if (!total || total->total != 42) return std::fputs("call", stderr), 1;
  cluster.crash(cluster.runs_on("c1").front());
  if (const auto quiet = cluster.settle(); !quiet) return std::fputs(quiet.str().c_str(), stderr), 1;
  if (cluster.worker<Counter>("c1") == nullptr) return std::fputs("worker", stderr), 1;
  std::puts("a worker is tested outside the tree");
}
