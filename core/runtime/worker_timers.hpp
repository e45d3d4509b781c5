// WorkerTimers: the one timer thread of a WorkerHost. It keeps all due times, reports those that are due, and
// ticks. It runs no user code: what is due becomes a turn of its worker.
#pragma once

#include <chrono>
#include <compare>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace processhub::runtime {

// Ids of the runtime's own; those of the workers are counted up from 1.
inline constexpr std::uint64_t kStopCheck = 0;                  ///< a stop deadline
inline constexpr std::uint64_t kIdleCheck = ~std::uint64_t{0};  ///< has it idled for long enough?

class WorkerTimers {
 public:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    Clock::time_point due{};
    std::uint64_t serial = 0;  ///< the worker
    std::uint64_t id = 0;      ///< which of its timers
    friend auto operator<=>(const Entry&, const Entry&) = default;
  };

  WorkerTimers() = default;
  WorkerTimers(const WorkerTimers&) = delete;
  WorkerTimers& operator=(const WorkerTimers&) = delete;
  ~WorkerTimers() { stop(); }

  /// `due` gets each entry once when its time has come; `tick` is called now and then and says when it wants
  /// to be called again.
  void start(std::function<void(const Entry&)> due, std::function<Clock::duration(Clock::time_point)> tick);
  /// Returns when the thread has ended. The caller must not be the timer thread.
  void stop();

  void arm(const Entry& entry);
  void disarm(const Entry& entry);

 private:
  void run();
  std::vector<Entry> take_due(Clock::time_point now);

  std::function<void(const Entry&)> due_{};
  std::function<Clock::duration(Clock::time_point)> tick_{};
  std::mutex mutex_{};
  std::condition_variable changed_{};
  std::set<Entry> entries_{};
  Clock::time_point waking_at_{};
  bool stopping_ = false;
  std::thread thread_{};
};

}  // namespace processhub::runtime
