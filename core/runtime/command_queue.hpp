// What other threads want of the loop: a bounded queue with many writers and one reader, the loop thread.
// The reader is woken only when it said that it would sleep, so a busy loop costs its callers no system call.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
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

/// Which others an item must not pass.
enum class Place : unsigned char {
  line,     ///< none
  fence,    ///< none, and none pushed later passes it
  alone,    ///< a fence only: nothing else that waits has to do with it
  express,  ///< may pass all
};

/// Two lines in truth: what may pass the others stands in the second, which the reader takes first.
template <class T>
class CommandQueue {
 public:
  explicit CommandQueue(std::size_t limit, std::size_t byte_limit = static_cast<std::size_t>(-1))
      : limit_(limit), byte_limit_(byte_limit) {}

  /// Any thread. Takes the item, which carries so many bytes, only if it answers ok or wake. An empty queue
  /// takes any.
  Pushed push(T&& item, Place place = Place::line, std::size_t bytes = 0) {
    return push(std::move(item), place, bytes, true);
  }
  /// Any thread: for what must not be lost, such as the end of a worker. Not bound by the limits.
  Pushed push_always(T&& item, Place place = Place::line) { return push(std::move(item), place, 0, false); }

  // Reader only.
  /// Swaps everything there is into the two, which must be empty; what is in `express` goes first. False if
  /// there is nothing.
  bool take(std::vector<T>& line, std::vector<T>& express) {
    std::lock_guard lock(mutex_);
    sleeping_ = false;
    if (line_.items.empty() && express_.items.empty()) return false;
    taken_since_ = std::min(line_.since(), express_.since());
    line_.give(line);
    express_.give(express);
    return true;
  }
  /// Only what may pass what was taken before.
  void take_express(std::vector<T>& express) {
    std::lock_guard lock(mutex_);
    express_.give(express);
  }
  /// A fence that was taken is dealt with.
  void passed_fence() { fences_.fetch_sub(1, std::memory_order_acq_rel); }
  /// When the first command of the last batch was pushed: it waited longest.
  Time waiting_since() const { return taken_since_; }
  /// True if the queue is empty: then the next push answers `wake`.
  bool prepare_to_sleep() {
    std::lock_guard lock(mutex_);
    sleeping_ = line_.items.empty() && express_.items.empty();
    return sleeping_;
  }
  /// Any thread.
  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return line_.items.size() + express_.items.size();
  }
  /// Every later push is refused; the caller takes what is left.
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }

 private:
  static constexpr std::size_t kKeptCapacity = 1U << 12;  // a burst does not keep its memory

  struct Waiting {
    std::vector<T> items{};
    std::size_t bytes = 0;
    Time first{};

    Time since() const { return items.empty() ? kNever : first; }
    void give(std::vector<T>& batch) {
      if (batch.capacity() > kKeptCapacity) std::vector<T>().swap(batch);
      items.swap(batch);
      bytes = 0;
    }
  };

  Pushed push(T&& item, Place place, std::size_t bytes, bool bound) {
    std::lock_guard lock(mutex_);
    if (closed_) return Pushed::closed;
    const auto waiting = line_.items.size() + express_.items.size();
    if (bound && waiting >= limit_) return Pushed::full;
    if (bound && waiting > 0 && line_.bytes + express_.bytes + bytes > byte_limit_) return Pushed::full;
    if (place == Place::fence) fences_.fetch_add(1, std::memory_order_acq_rel);
    const bool passes =
        place == Place::express || (place == Place::alone && fences_.load(std::memory_order_acquire) == 0);
    auto& to = passes ? express_ : line_;
    if (to.items.empty()) to.first = boot_now();
    to.items.push_back(std::move(item));
    to.bytes += bytes;
    return std::exchange(sleeping_, false) ? Pushed::wake : Pushed::ok;
  }

  const std::size_t limit_;
  const std::size_t byte_limit_;
  mutable std::mutex mutex_{};
  Waiting line_{};
  Waiting express_{};
  std::atomic<std::uint32_t> fences_{0};  ///< pushed and not passed
  bool sleeping_ = false;
  bool closed_ = false;
  Time taken_since_{};  // reader's own
};

}  // namespace processhub::runtime
