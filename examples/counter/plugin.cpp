// The smallest useful plugin: one worker type, `counter`. hubd loads it with `--plugin ./libcounter.so`.
#include <processhub/plugin.hpp>
#include <processhub/processhub.hpp>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>

namespace ph = processhub;

namespace {

struct CounterArgs {
  std::int64_t start = 0;
  PROCESSHUB_FIELDS(start)
};

// Messages and answers. Their wire names are add, get, crash, sleep and where.
struct Add {
  std::int64_t by = 0;
  PROCESSHUB_FIELDS(by)
};
struct Get {
  PROCESSHUB_FIELDS()
};
struct Crash {
  PROCESSHUB_FIELDS()
};
struct Sleep {
  std::int64_t ms = 0;
  PROCESSHUB_FIELDS(ms)
};
struct Where {
  PROCESSHUB_FIELDS()
};
struct Total {
  std::int64_t total = 0;
  PROCESSHUB_FIELDS(total)
};
struct Place {
  std::string node{};
  std::string generation{};
  std::string role{};
  PROCESSHUB_FIELDS(node, generation, role)
};

class Counter : public ph::Worker {
 public:
  using Args = CounterArgs;

  static void handlers(ph::Handlers<Counter>& h) {
    h.on<&Counter::add>()
        .on<&Counter::get>()
        .on<&Counter::crash>()
        .on<&Counter::sleep>()
        .on<&Counter::where>();
  }

  explicit Counter(const Args& args) : total_{args.start} {}

  /// What travels when the child moves. After a crash it starts from its args instead.
  Total& state() { return total_; }

 private:
  Total add(const Add& message) {
    total_.total += message.by;
    return total_;
  }

  Total get(const Get&) { return total_; }

  void crash(const Crash&) { throw std::runtime_error("told to crash"); }

  /// Blocks its thread on purpose. A pooled counter takes a pool thread away from the others while it sleeps;
  /// a child that really blocks belongs on `executor = dedicated`.
  void sleep(const Sleep& message) { std::this_thread::sleep_for(std::chrono::milliseconds(message.ms)); }

  Place where(const Where&) {
    return {std::string(ctx().node().name()), ctx().generation().str(),
            std::string(ph::to_string(ctx().role()))};
  }

  Total total_;
};

void register_plugin(ph::PluginRegistry& registry) { registry.types.add<Counter>("counter"); }

}  // namespace

PROCESSHUB_PLUGIN(register_plugin)
