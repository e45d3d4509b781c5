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
  explicit CommandQueue(std::size_t limit, std::size_t byte_limit = static_cast<std::size_t>(-1))
      : limit_(limit), byte_limit_(byte_limit) {}

  /// Any thread. Takes the item, which carries so many bytes, only if it answers ok or wake. An empty queue
  /// takes any.
  Pushed push(T&& item, std::size_t bytes = 0) { return push(std::move(item), bytes, true); }
  /// Any thread: for what must not be lost, such as the end of a worker. Not bound by the limits.
  Pushed push_always(T&& item) { return push(std::move(item), 0, false); }

  // Reader only.
  /// Swaps everything there is into `batch`, which must be empty; false if there is nothing.
  bool take(std::vector<T>& batch) {
    if (batch.capacity() > kKeptCapacity) std::vector<T>().swap(batch);
    std::lock_guard lock(mutex_);
    sleeping_ = false;
    if (items_.empty()) return false;
    items_.swap(batch);
    bytes_ = 0;
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

  Pushed push(T&& item, std::size_t bytes, bool bound) {
    std::lock_guard lock(mutex_);
    if (closed_) return Pushed::closed;
    if (bound && items_.size() >= limit_) return Pushed::full;
    if (bound && !items_.empty() && bytes_ + bytes > byte_limit_) return Pushed::full;
    bytes_ += bytes;
    if (items_.empty()) waiting_since_ = boot_now();
    items_.push_back(std::move(item));
    return std::exchange(sleeping_, false) ? Pushed::wake : Pushed::ok;
  }

  const std::size_t limit_;
  const std::size_t byte_limit_;
  mutable std::mutex mutex_{};
  std::vector<T> items_{};
  std::size_t bytes_ = 0;
  Time waiting_since_{};
  bool sleeping_ = false;
  bool closed_ = false;
  Time taken_since_{};  // reader's own
};

}  // namespace processhub::runtime
