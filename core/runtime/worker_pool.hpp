// WorkerPool: the run queues of the pooled workers. It decides which thread runs which worker next; it runs
// nothing itself.
//
// Each pool thread owns a lane. A worker made runnable by a pool thread goes to that thread's lane: first
// into the `next` seat, which only the owner takes (two workers that talk to each other stay on one core),
// then into the lane's queue, from which idle threads steal. Everybody else pushes to one shared queue. A
// thread that finds nothing looks again for a few microseconds and then sleeps.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace processhub::runtime {

class WorkerCell;
using CellPtr = std::shared_ptr<WorkerCell>;

class WorkerPool {
 public:
  class Lane {
   public:
    /// What the owner runs now, for the watcher: the worker (0: none) and a count that moves with every piece
    /// of user code.
    void begin(std::uint64_t serial) {
      beat_.store(beat_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      serial_.store(serial, std::memory_order_relaxed);
    }
    void end() { serial_.store(0, std::memory_order_relaxed); }
    std::uint64_t serial() const { return serial_.load(std::memory_order_relaxed); }
    std::uint64_t beat() const { return beat_.load(std::memory_order_relaxed); }

   private:
    friend class WorkerPool;
    std::mutex mutex_{};
    CellPtr next_{};
    std::deque<CellPtr> queue_{};
    std::uint64_t owner_ = 0;  // counts adoptions: a thread that was replaced is no owner any more
    std::uint32_t seat_uses_ = 0;
    std::uint32_t picks_ = 0;  // owner only
    std::atomic<std::uint32_t> waiting_{0};
    std::atomic<std::uint64_t> serial_{0};
    std::atomic<std::uint64_t> beat_{0};
  };

  explicit WorkerPool(std::uint32_t threads);

  std::uint32_t threads() const { return static_cast<std::uint32_t>(lanes_.size()); }
  Lane& lane(std::uint32_t index) { return *lanes_[index]; }

  /// Binds the calling thread to its lane.
  void adopt(Lane& lane);
  /// The next worker for the lane's owner; waits. Null once the pool is closed.
  CellPtr take(Lane& lane);
  /// Any thread.
  void push(CellPtr cell);
  /// Behind everything that waits at this lane: a worker that used up its batch. The lane's owner.
  void push_last(Lane& lane, CellPtr cell);
  /// Makes what the lane's owner would run next available to the other threads: the owner is busy with
  /// something long.
  void rescue(Lane& lane);
  /// The same for the calling thread, if it owns a lane.
  void rescue_own();
  void close();
  void clear();  ///< forgets what waits; after close(), when the threads are gone

 private:
  bool push_own(CellPtr& cell);
  CellPtr find(Lane& lane);
  CellPtr take_own(Lane& lane);
  CellPtr take_shared(Lane& lane);
  CellPtr steal(Lane& thief);
  CellPtr sleep(Lane& lane);
  bool anything_waits();
  bool looks_busy() const;
  void wake_one();

  std::vector<std::unique_ptr<Lane>> lanes_{};
  std::mutex shared_mutex_{};
  std::deque<CellPtr> shared_{};
  std::atomic<std::uint32_t> shared_waiting_{0};

  std::mutex sleep_mutex_{};
  std::condition_variable wake_{};
  std::atomic<std::uint32_t> searching_{0};
  std::atomic<std::uint32_t> idle_{0};
  std::uint32_t wakeups_ = 0;
  std::atomic<bool> closed_{false};
};

}  // namespace processhub::runtime
