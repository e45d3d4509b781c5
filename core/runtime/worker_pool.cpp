#include "core/runtime/worker_pool.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace processhub::runtime {
namespace {

constexpr std::uint32_t kSeatUsesInARow = 16;    // then the lane's queue gets its turn
constexpr std::uint32_t kSharedQueueEvery = 31;  // so that a busy lane cannot starve the shared queue
constexpr std::size_t kGrab = 32;  // workers taken over at once from the shared queue or another lane
constexpr int kSearchRounds = 40;  // each gives the CPU away once; about 20 us before a thread sleeps

struct Seat {
  WorkerPool* pool = nullptr;
  WorkerPool::Lane* lane = nullptr;
  std::uint64_t ticket = 0;
};
thread_local Seat this_thread_seat;

}  // namespace

WorkerPool::WorkerPool(std::uint32_t threads) {
  for (std::uint32_t i = 0; i < threads; ++i) lanes_.push_back(std::make_unique<Lane>());
}

void WorkerPool::adopt(Lane& lane) {
  lane.end();
  std::lock_guard lock(lane.mutex_);
  this_thread_seat = {this, &lane, ++lane.owner_};
}

void WorkerPool::push(CellPtr cell) {
  if (this_thread_seat.pool == this && push_own(cell)) {
    if (cell) wake_one();
    return;
  }
  {
    std::lock_guard lock(shared_mutex_);
    shared_.push_back(std::move(cell));
    shared_waiting_.store(static_cast<std::uint32_t>(shared_.size()), std::memory_order_relaxed);
  }
  wake_one();
}

/// False if the calling thread owns no lane any more. Leaves `cell` empty if only the free seat was filled:
/// then nobody need be woken, this thread runs it as soon as its turn ends.
bool WorkerPool::push_own(CellPtr& cell) {
  Lane& lane = *this_thread_seat.lane;
  std::lock_guard lock(lane.mutex_);
  if (lane.owner_ != this_thread_seat.ticket) return false;
  std::swap(lane.next_, cell);
  if (!cell) return true;
  lane.queue_.push_back(cell);
  lane.waiting_.store(static_cast<std::uint32_t>(lane.queue_.size()), std::memory_order_relaxed);
  return true;
}

void WorkerPool::push_last(Lane& lane, CellPtr cell) {
  bool surplus = false;
  {
    std::lock_guard lock(lane.mutex_);
    surplus = !lane.queue_.empty() || lane.next_;
    lane.queue_.push_back(std::move(cell));
    lane.waiting_.store(static_cast<std::uint32_t>(lane.queue_.size()), std::memory_order_relaxed);
  }
  if (surplus) wake_one();
}

void WorkerPool::rescue(Lane& lane) {
  {
    std::lock_guard lock(lane.mutex_);
    if (lane.next_) lane.queue_.push_back(std::exchange(lane.next_, nullptr));
    if (lane.queue_.empty()) return;
    lane.waiting_.store(static_cast<std::uint32_t>(lane.queue_.size()), std::memory_order_relaxed);
  }
  wake_one();
}

void WorkerPool::rescue_own() {
  if (this_thread_seat.pool == this) rescue(*this_thread_seat.lane);
}

void WorkerPool::close() {
  std::lock_guard lock(sleep_mutex_);
  closed_.store(true);
  wake_.notify_all();
}

void WorkerPool::clear() {
  {
    std::lock_guard lock(shared_mutex_);
    shared_.clear();
  }
  for (auto& lane : lanes_) {
    std::lock_guard lock(lane->mutex_);
    lane->queue_.clear();
    lane->next_ = nullptr;
  }
}

CellPtr WorkerPool::take(Lane& lane) {
  if (closed_.load(std::memory_order_relaxed)) return nullptr;
  if (auto cell = find(lane)) return cell;
  return sleep(lane);
}

CellPtr WorkerPool::find(Lane& lane) {
  if (++lane.picks_ % kSharedQueueEvery == 0) {
    if (auto cell = take_shared(lane)) return cell;
  }
  if (auto cell = take_own(lane)) return cell;
  if (auto cell = take_shared(lane)) return cell;
  return steal(lane);
}

CellPtr WorkerPool::take_own(Lane& lane) {
  std::lock_guard lock(lane.mutex_);
  const bool seat_may_go_first = lane.queue_.empty() || lane.seat_uses_ < kSeatUsesInARow;
  if (lane.next_ && seat_may_go_first) {
    ++lane.seat_uses_;
    return std::exchange(lane.next_, nullptr);
  }
  lane.seat_uses_ = 0;
  if (lane.queue_.empty()) return nullptr;
  auto cell = std::move(lane.queue_.front());
  lane.queue_.pop_front();
  lane.waiting_.store(static_cast<std::uint32_t>(lane.queue_.size()), std::memory_order_relaxed);
  return cell;
}

CellPtr WorkerPool::take_shared(Lane& lane) {
  if (shared_waiting_.load(std::memory_order_relaxed) == 0) return nullptr;
  std::scoped_lock lock(shared_mutex_, lane.mutex_);
  if (shared_.empty()) return nullptr;
  auto cell = std::move(shared_.front());
  shared_.pop_front();
  const auto share = std::min(shared_.size() / lanes_.size(), kGrab);
  for (std::size_t i = 0; i < share; ++i) {
    lane.queue_.push_back(std::move(shared_.front()));
    shared_.pop_front();
  }
  lane.waiting_.store(static_cast<std::uint32_t>(lane.queue_.size()), std::memory_order_relaxed);
  shared_waiting_.store(static_cast<std::uint32_t>(shared_.size()), std::memory_order_relaxed);
  return cell;
}

CellPtr WorkerPool::steal(Lane& thief) {
  for (auto& victim : lanes_) {
    if (victim.get() == &thief || victim->waiting_.load(std::memory_order_relaxed) == 0) continue;
    std::scoped_lock lock(victim->mutex_, thief.mutex_);
    if (victim->queue_.empty()) continue;
    auto cell = std::move(victim->queue_.front());
    victim->queue_.pop_front();
    const auto share = std::min(victim->queue_.size() / 2, kGrab);
    for (std::size_t i = 0; i < share; ++i) {
      thief.queue_.push_back(std::move(victim->queue_.front()));
      victim->queue_.pop_front();
    }
    victim->waiting_.store(static_cast<std::uint32_t>(victim->queue_.size()), std::memory_order_relaxed);
    thief.waiting_.store(static_cast<std::uint32_t>(thief.queue_.size()), std::memory_order_relaxed);
    return cell;
  }
  return nullptr;
}

// Nobody is lost between looking and sleeping: a thread counts itself as idle (or no longer searching) before
// its last look, which locks every queue; who pushes afterwards locked the same queue later and therefore
// sees the count.
CellPtr WorkerPool::sleep(Lane& lane) {
  for (;;) {
    searching_.fetch_add(1);
    CellPtr found;
    for (int round = 0; round < kSearchRounds && !found && !closed_.load(std::memory_order_relaxed);
         ++round) {
      if (looks_busy()) found = find(lane);
      if (!found) std::this_thread::yield();
    }
    searching_.fetch_sub(1);
    if (found) {
      if (looks_busy()) wake_one();  // pushes made while we searched woke nobody
      return found;
    }
    std::unique_lock lock(sleep_mutex_);
    idle_.fetch_add(1);
    if (!closed_.load() && !anything_waits()) {
      wake_.wait(lock, [this] { return wakeups_ > 0 || closed_.load(); });
      if (wakeups_ > 0) --wakeups_;
    }
    idle_.fetch_sub(1);
    if (closed_.load()) return nullptr;
    lock.unlock();
    if (auto cell = find(lane)) return cell;
  }
}

bool WorkerPool::looks_busy() const {
  if (shared_waiting_.load(std::memory_order_relaxed) > 0) return true;
  return std::any_of(lanes_.begin(), lanes_.end(),
                     [](const auto& l) { return l->waiting_.load(std::memory_order_relaxed) > 0; });
}

bool WorkerPool::anything_waits() {
  {
    std::lock_guard lock(shared_mutex_);
    if (!shared_.empty()) return true;
  }
  return std::any_of(lanes_.begin(), lanes_.end(), [](const auto& lane) {
    std::lock_guard lock(lane->mutex_);
    return !lane->queue_.empty();
  });
}

void WorkerPool::wake_one() {
  if (searching_.load() > 0 || idle_.load() == 0) return;
  std::lock_guard lock(sleep_mutex_);
  if (idle_.load() <= wakeups_) return;
  ++wakeups_;
  wake_.notify_one();
}

}  // namespace processhub::runtime
