#include "core/runtime/event_port.hpp"

#include <algorithm>

namespace processhub::runtime {

std::uint32_t thread_stripe() {
  static std::atomic<std::uint32_t> threads{0};
  thread_local const std::uint32_t mine = threads.fetch_add(1, std::memory_order_relaxed) % kStripes;
  return mine;
}

void EventPort::close() {
  std::unique_lock lock(mutex_);
  closed_.store(true);
  left_.wait(lock, [this] { return empty(); });
}

bool EventPort::empty() const {
  return std::all_of(stripes_.begin(), stripes_.end(), [](const Stripe& s) { return s.inside.load() == 0; });
}

void EventPort::wake_closer() {
  std::lock_guard lock(mutex_);
  left_.notify_all();
}

}  // namespace processhub::runtime
