#include "core/runtime/worker_timers.hpp"

#include <algorithm>
#include <utility>

namespace processhub::runtime {
namespace {

constexpr std::size_t kAtOnce =
    1024;  // entries taken out under one lock, so that arming never waits for long

}  // namespace

void WorkerTimers::start(std::function<void(const Entry&)> due,
                         std::function<Clock::duration(Clock::time_point)> tick) {
  due_ = std::move(due);
  tick_ = std::move(tick);
  thread_ = std::thread([this] { run(); });
}

void WorkerTimers::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void WorkerTimers::arm(const Entry& entry) {
  std::lock_guard lock(mutex_);
  entries_.insert(entry);
  if (entry.due < waking_at_) changed_.notify_all();
}

void WorkerTimers::disarm(const Entry& entry) {
  std::lock_guard lock(mutex_);
  entries_.erase(entry);
}

void WorkerTimers::run() {
  auto next_tick = Clock::now();
  for (;;) {
    const auto now = Clock::now();
    const auto due = take_due(now);
    for (const auto& entry : due) due_(entry);
    if (now >= next_tick) next_tick = now + tick_(now);

    std::unique_lock lock(mutex_);
    if (stopping_) return;
    waking_at_ = entries_.empty() ? next_tick : std::min(next_tick, entries_.begin()->due);
    if (waking_at_ > now) changed_.wait_until(lock, waking_at_);
    waking_at_ = {};  // awake: nobody need notify
    if (stopping_) return;
  }
}

std::vector<WorkerTimers::Entry> WorkerTimers::take_due(Clock::time_point now) {
  std::lock_guard lock(mutex_);
  std::vector<Entry> due;
  while (!entries_.empty() && entries_.begin()->due <= now && due.size() < kAtOnce) {
    due.push_back(entries_.extract(entries_.begin()).value());
  }
  return due;
}

}  // namespace processhub::runtime
