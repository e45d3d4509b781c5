#include "tools/hub-bench/watcher.hpp"

#include <utility>

namespace processhub::hub_bench {
namespace {

constexpr std::chrono::microseconds kInterval{500};

}  // namespace

std::vector<std::string> child_ids(std::uint64_t count) {
  std::vector<std::string> ids(count);
  for (std::uint64_t i = 0; i < count; ++i) ids[i] = "b-" + std::to_string(i);
  return ids;
}

Watcher::Watcher(const Hub& hub, NodeSlot& slot, Task task)
    : hub_(hub),
      slot_(slot),
      task_(std::move(task)),
      ids_(child_ids(task_.count)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Watcher::run(const std::stop_token& stop) {
  std::optional<Seen> before;
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto seen = look();
    if (seen != before) write(seen);
    before = seen;
    stopped_.wait_for(lock, stop, kInterval, [] { return false; });
  }
}

/// Ids are checked in order and once each, only up to the first that does not run yet: the machine is not
/// kept busy by being watched.
Watcher::Seen Watcher::look() {
  const auto status = hub_.status();
  if (status.children_total == task_.count) {
    while (running_ < task_.count && runs(ids_[running_])) ++running_;
  }
  return {status.children_total, running_, status.digest};
}

bool Watcher::runs(const std::string& id) const {
  const auto ref = hub_.active_of(id);
  return ref && (task_.avoid.empty() || ref->node.name() != task_.avoid);
}

void Watcher::write(const Seen& seen) {
  slot_.total = seen.total;
  slot_.running = seen.running;
  slot_.digest = seen.digest;
  slot_.changed_at = now_ns();
  slot_.watch = task_.number;
}

}  // namespace processhub::hub_bench
