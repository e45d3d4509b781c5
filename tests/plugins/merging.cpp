// A plugin for tests: counters that keep their state, merge it with that of another instance, and write into
// the file MERGING_FILE when they start (+ID), are destroyed (-ID) and are told to merge (=ID). So a test
// knows what the workers themselves saw, whatever the registry says.
#include <processhub/plugin.hpp>
#include <processhub/processhub.hpp>

#include <cstdlib>
#include <fstream>
#include <mutex>
#include <string>

#include "tests/support/counter_messages.hpp"

namespace ph = processhub;
using namespace counter_messages;

namespace {

void note(const std::string& line) {
  static std::mutex mutex;
  static std::ofstream file;
  const std::lock_guard lock(mutex);
  if (!file.is_open()) {
    const char* path = std::getenv("MERGING_FILE");
    file.open(path != nullptr ? path : "/dev/null", std::ios::app);
  }
  file << line << std::endl;
}

class MergingCounter : public ph::Worker {
 public:
  using Args = CounterArgs;
  static void handlers(ph::Handlers<MergingCounter>& h) {
    h.on<&MergingCounter::add>().on<&MergingCounter::get>();
  }
  explicit MergingCounter(const Args& args) : total_{args.start} {}

  Total& state() { return total_; }
  void merge_state(const Total& other) {
    total_.total += other.total;
    note("=" + ctx().id());
  }
  void on_start(ph::StartReason) override {
    id_ = ctx().id();
    note("+" + id_);
  }
  ~MergingCounter() override {  // on_stop is left out where there is no quorum
    if (!id_.empty()) note("-" + id_);
  }

 private:
  Total add(const Add& message) {
    total_.total += message.by;
    return total_;
  }
  Total get(const Get&) { return total_; }

  Total total_;
  std::string id_{};
};

void register_plugin(ph::PluginRegistry& registry) { registry.types.add<MergingCounter>("merging"); }

}  // namespace

PROCESSHUB_PLUGIN(register_plugin)
