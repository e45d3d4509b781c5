// TurnGate: may user code start now? Shut while this node does not know what it may run, and past the moment
// up to which the loop vouched for itself. Workers that are due meanwhile are parked here.
#pragma once

#include <time.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "processhub/time.hpp"

namespace processhub::runtime {

class WorkerCell;

class TurnGate {
 public:
  using Cells = std::vector<std::shared_ptr<WorkerCell>>;

  /// By order, or because nothing may run at all (no quorum): who has to stop then ends without a last turn.
  bool closed() const {
    return closed_.load(std::memory_order_relaxed) || alive_until_.load() == kNothingRuns;
  }
  /// Reads the clock if a deadline was ever set.
  bool may_run() const {
    if (closed_.load()) return false;
    const auto deadline = alive_until_.load();
    return deadline == kNever.count() || boot_time() < deadline;
  }

  /// Keeps the worker until the gate changes; false (nothing kept) if user code may run by now.
  bool park(const std::shared_ptr<WorkerCell>& cell) {
    std::lock_guard lock(mutex_);
    // Announced before the last look, so that set_alive_until either is seen by it or sees the announcement.
    parked_.fetch_add(1);
    if (may_run()) {
      parked_.fetch_sub(1);
      return false;
    }
    cells_.push_back(cell);
    return true;
  }

  // Each returns the workers to look at again.
  Cells close() {
    closed_.store(true);
    return take();
  }
  Cells open() {
    closed_.store(false);
    return take();
  }
  /// Time::min(): there is no quorum.
  Cells set_alive_until(Time deadline) {
    const auto before = alive_until_.exchange(deadline.count());
    if (deadline.count() == kNothingRuns && before != kNothingRuns) return take();
    if (parked_.load() == 0 || !may_run()) return {};
    return take();
  }
  void clear() { take(); }

 private:
  static constexpr auto kNothingRuns = Time::min().count();

  static std::int64_t boot_time() {
    timespec t{};
    clock_gettime(CLOCK_BOOTTIME, &t);
    return static_cast<std::int64_t>(t.tv_sec) * 1'000'000 + t.tv_nsec / 1'000;
  }
  Cells take() {
    std::lock_guard lock(mutex_);
    parked_.fetch_sub(cells_.size());
    return std::exchange(cells_, {});
  }

  std::atomic<bool> closed_{false};
  std::atomic<std::int64_t> alive_until_{kNever.count()};
  std::atomic<std::size_t> parked_{0};
  std::mutex mutex_{};
  Cells cells_{};
};

}  // namespace processhub::runtime
