// EventPort: the one way from worker threads to WorkerEvents. close() waits until every call in progress has
// returned and refuses later ones, so that a thread left behind in a worker that never returned cannot reach
// a hub that is gone.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "core/runtime/worker_host.hpp"

namespace processhub::runtime {

/// A small number for the calling thread, to spread counters over cache lines.
std::uint32_t thread_stripe();

inline constexpr std::uint32_t kStripes = 16;

class EventPort {
 public:
  explicit EventPort(WorkerEvents& events) : events_(&events) {}

  /// Runs `call(events)` unless the port is closed; false if it is.
  template <class F>
  bool call(F&& call) {
    Visit visit(*this);
    if (closed_.load()) return false;
    call(*events_);
    return true;
  }
  void close();

 private:
  struct alignas(64) Stripe {
    std::atomic<std::uint32_t> inside{0};
  };
  // Entering and closing follow Dekker: each side writes its own flag, then reads the other's, sequentially
  // consistent.
  struct Visit {
    explicit Visit(EventPort& port) : port_(port), stripe_(port.stripes_[thread_stripe()]) {
      ++stripe_.inside;
    }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    ~Visit() {
      --stripe_.inside;
      if (port_.closed_.load()) port_.wake_closer();
    }
    EventPort& port_;
    Stripe& stripe_;
  };
  bool empty() const;
  void wake_closer();

  WorkerEvents* events_;
  std::array<Stripe, kStripes> stripes_{};
  std::atomic<bool> closed_{false};
  std::mutex mutex_{};
  std::condition_variable left_{};
};

}  // namespace processhub::runtime
