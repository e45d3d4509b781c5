// Counters of a WorkerHost, spread over cache lines so that counting does not make threads wait for each
// other.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "core/runtime/event_port.hpp"
#include "core/runtime/worker_host.hpp"

namespace processhub::runtime {

class WorkerCounters {
 public:
  void turn(std::uint64_t handled) {
    auto& s = stripes_[thread_stripe()];
    s.turns.fetch_add(1, std::memory_order_relaxed);
    s.handled.fetch_add(handled, std::memory_order_relaxed);
  }
  void crash() { crashes_.fetch_add(1, std::memory_order_relaxed); }
  void dead_letter() { dead_letters_.fetch_add(1, std::memory_order_relaxed); }
  void mailbox_full() { mailbox_full_.fetch_add(1, std::memory_order_relaxed); }
  void slow_inline() { slow_inline_.fetch_add(1, std::memory_order_relaxed); }
  void stuck() { stuck_.fetch_add(1, std::memory_order_relaxed); }

  WorkerHost::Counters read() const {
    WorkerHost::Counters c;
    for (const auto& s : stripes_) {
      c.turns += s.turns.load(std::memory_order_relaxed);
      c.handled += s.handled.load(std::memory_order_relaxed);
    }
    c.crashes = crashes_.load(std::memory_order_relaxed);
    c.dead_letters = dead_letters_.load(std::memory_order_relaxed);
    c.mailbox_full = mailbox_full_.load(std::memory_order_relaxed);
    c.slow_inline = slow_inline_.load(std::memory_order_relaxed);
    c.stuck = stuck_.load(std::memory_order_relaxed);
    return c;
  }

 private:
  struct alignas(64) Stripe {
    std::atomic<std::uint64_t> turns{0};
    std::atomic<std::uint64_t> handled{0};
  };
  std::array<Stripe, kStripes> stripes_{};
  std::atomic<std::uint64_t> crashes_{0};
  std::atomic<std::uint64_t> dead_letters_{0};
  std::atomic<std::uint64_t> mailbox_full_{0};
  std::atomic<std::uint64_t> slow_inline_{0};
  std::atomic<std::uint64_t> stuck_{0};
};

}  // namespace processhub::runtime
