// What other threads want of the loop: a bounded queue with many writers and one reader, the loop thread.
// The reader is woken only when it said that it would sleep, so a busy loop costs its callers no system call.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "core/runtime/clock.hpp"
#include "processhub/time.hpp"

namespace processhub::runtime {

enum class Pushed : unsigned char {
  ok,
  wake,    ///< in the queue, and the caller must wake the reader
  full,    ///< the bound is reached; the item is untouched
  closed,  ///< the reader is gone; the item is untouched
};

template <class T>
class CommandQueue {
 public:
  explicit CommandQueue(std::size_t limit) : limit_(limit) {}

  /// Any thread. Takes the item only if it answers ok or wake.
  Pushed push(T&& item) { return push(std::move(item), limit_); }
  /// Any thread: for what must not be lost, such as the end of a worker. Not bound by the limit.
  Pushed push_always(T&& item) { return push(std::move(item), static_cast<std::size_t>(-1)); }

  // Reader only.
  /// Swaps everything there is into `batch`, which must be empty; false if there is nothing.
  bool take(std::vector<T>& batch) {
    if (batch.capacity() > kKeptCapacity) std::vector<T>().swap(batch);
    std::lock_guard lock(mutex_);
    sleeping_ = false;
    if (items_.empty()) return false;
    items_.swap(batch);
    taken_since_ = waiting_since_;
    return true;
  }
  /// When the first command of the last batch was pushed: it waited longest.
  Time waiting_since() const { return taken_since_; }
  /// True if the queue is empty: then the next push answers `wake`.
  bool prepare_to_sleep() {
    std::lock_guard lock(mutex_);
    sleeping_ = items_.empty();
    return sleeping_;
  }
  /// Any thread.
  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return items_.size();
  }
  /// Every later push is refused; the caller takes what is left.
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }

 private:
  static constexpr std::size_t kKeptCapacity = 1U << 12;  // a burst does not keep its memory

  Pushed push(T&& item, std::size_t limit) {
    std::lock_guard lock(mutex_);
    if (closed_) return Pushed::closed;
    if (items_.size() >= limit) return Pushed::full;
    if (items_.empty()) waiting_since_ = boot_now();
    items_.push_back(std::move(item));
    return std::exchange(sleeping_, false) ? Pushed::wake : Pushed::ok;
  }

  const std::size_t limit_;
  mutable std::mutex mutex_{};
  std::vector<T> items_{};
  Time waiting_since_{};
  bool sleeping_ = false;
  bool closed_ = false;
  Time taken_since_{};  // reader's own
};

}  // namespace processhub::runtime
