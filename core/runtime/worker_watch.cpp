// The threads of a WorkerEngine: running them, watching them, giving up on those that do not return, and the
// end of it all.
#include <algorithm>
#include <string>
#include <system_error>

#include "core/runtime/worker_engine.hpp"
#include "core/runtime/worker_turn.hpp"

namespace processhub::runtime {
namespace {

using namespace std::chrono_literals;
using Clock = WorkerTimers::Clock;

constexpr auto kTickBusy = 5ms;  // bounds how long a worker sits behind a handler that hogs its lane
constexpr auto kTickIdle = 100ms;
constexpr auto kSlowTurn = 1s;  // a pooled handler that takes longer is reported
constexpr auto kCheckAgain = 10ms;

std::string in_ms(std::chrono::microseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) + " ms";
}

std::chrono::microseconds stop_time(const WorkerCell& cell, std::chrono::microseconds otherwise) {
  return cell.shutdown_timeout().count() > 0 ? cell.shutdown_timeout() : otherwise;
}

}  // namespace

void WorkerEngine::run() {
  for (std::uint32_t lane = 0; lane < pool_.threads(); ++lane) spawn_pool_thread(lane);
  timers_.start([this](const WorkerTimers::Entry& entry) { on_due(entry); },
                [this](Clock::time_point now) { return watch(now); });
}

void WorkerEngine::spawn_pool_thread(std::uint32_t lane) {
  roster_.spawn(
      [self = shared_from_this(), lane](ThreadRoster::Id thread) { self->run_pool_thread(lane, thread); });
}

void WorkerEngine::run_pool_thread(std::uint32_t lane_index, ThreadRoster::Id thread) {
  auto& lane = pool_.lane(lane_index);
  const Runner runner{&lane, thread};
  pool_.adopt(lane);
  while (auto cell = pool_.take(lane)) {
    if (cell->dedicated() && hand_to_own_thread(cell, runner)) continue;
    if (WorkerTurn(*this, std::move(cell), &runner).run() == TurnEnd::given_up) return;
  }
}

/// Threads of dedicated workers are made here and not on the loop, which must not wait for the system. False:
/// no thread needed.
bool WorkerEngine::hand_to_own_thread(const CellPtr& cell, const Runner& runner) {
  {
    std::lock_guard lock(table_.shard(cell->serial()).mutex);
    if (closing() || cell->gone()) return true;
    if (!cell->signal) {
      if (cell->stopping) return false;
      cell->signal = std::make_unique<DedicatedSignal>();
    } else {
      cell->signal->raise();
      return true;
    }
  }
  try {
    roster_.spawn([self = shared_from_this(), cell](ThreadRoster::Id thread) {
      self->run_dedicated_thread(cell, thread);
    });
    cell->has_thread.store(true, std::memory_order_release);
    cell->signal->raise();
  } catch (const std::system_error& e) {
    WorkerTurn(*this, cell, &runner).fail_start(std::string("no thread for a dedicated worker: ") + e.what());
  }
  return true;
}

void WorkerEngine::run_dedicated_thread(const CellPtr& cell, ThreadRoster::Id thread) {
  const Runner runner{nullptr, thread};
  while (cell->signal->wait()) {
    if (WorkerTurn(*this, cell, &runner).run() != TurnEnd::again) return;
  }
}

// -- the timer thread

void WorkerEngine::on_due(const WorkerTimers::Entry& entry) {
  if (entry.id == kStopCheck) return check_stop(entry.serial);
  if (entry.id == kIdleCheck) return check_idle(entry);
  if (auto cell = table_.find(entry.serial)) enqueue(cell, TimerFired{entry.id});
}

void WorkerEngine::arm_stop_deadline(WorkerCell& cell) {
  const auto deadline = Clock::now() + stop_time(cell, shutdown_timeout_);
  {
    std::lock_guard lock(table_.shard(cell.serial()).mutex);
    cell.stop_deadline = deadline;
  }
  timers_.arm({deadline, cell.serial(), kStopCheck});
}

void WorkerEngine::check_stop(std::uint64_t serial) {
  auto& shard = table_.shard(serial);
  Lock lock(shard.mutex);
  auto it = shard.cells.find(serial);
  if (it == shard.cells.end() || it->second->state != CellState::running) return;
  const CellPtr cell = it->second;
  if (Clock::now() < cell->stop_deadline) return;  // on_stop has begun since, with a deadline of its own
  const auto why = "did not stop within " + in_ms(stop_time(*cell, shutdown_timeout_));
  if (give_up(lock, cell, why)) return;
  lock.unlock();
  // It is just between two pieces of user code.
  timers_.arm({Clock::now() + kCheckAgain, serial, kStopCheck});
}

/// Ends the life of a worker whose thread does not return from the user's code; false if it is not there.
/// Releases the lock if so.
bool WorkerEngine::give_up(Lock& lock, const CellPtr& cell, const std::string& why) {
  const bool guest = cell->runner == nullptr;
  // Copied: once given up, the thread may come back and end.
  const Runner runner = guest ? Runner{} : *cell->runner;
  if (!cell->give_up()) return false;
  lock.unlock();
  if (!guest) roster_.abandon(runner.thread);
  announce_given_up(*cell, why, guest);
  if (!runner.lane || closing()) return true;
  for (std::uint32_t i = 0; i < pool_.threads(); ++i) {
    if (&pool_.lane(i) == runner.lane) ownerless_.push_back(i);
  }
  if (!replace_pool_threads()) report(protocol::LogLevel::error, "the system has no thread to replace it");
  return true;
}

/// False while the system has no thread for us; every tick tries again.
bool WorkerEngine::replace_pool_threads() try {
  for (; !ownerless_.empty(); ownerless_.pop_back()) spawn_pool_thread(ownerless_.back());
  return true;
} catch (const std::system_error&) {
  return false;
}

void WorkerEngine::announce_given_up(WorkerCell& cell, const std::string& why, bool guest) {
  counters_.stuck();
  protocol::event::WorkerDown down{cell.serial(), protocol::WorkerExit::stopped, why, remove(cell)};
  for (const auto& answer : cell.take_open_answers())
    answer->finish({ErrorCode::stopped, cell.describe() + " " + why});
  report(protocol::LogLevel::error,
         cell.describe() + " " + why + (guest ? "" : "; its thread is left behind"));
  port_.call([&](WorkerEvents& events) { events.on_worker_down(std::move(down)); });
}

Clock::duration WorkerEngine::watch(Clock::time_point now) {
  roster_.reap();
  replace_pool_threads();
  bool busy = false;
  for (std::uint32_t i = 0; i < pool_.threads(); ++i) {
    watch_lane(i, now);
    busy = busy || watches_[i].serial != 0;
  }
  return busy ? kTickBusy : kTickIdle;
}

void WorkerEngine::watch_lane(std::uint32_t index, Clock::time_point now) {
  auto& lane = pool_.lane(index);
  auto& seen = watches_[index];
  const auto serial = lane.serial();
  const auto beat = lane.beat();
  if (serial == 0 || beat != seen.beat || serial != seen.serial) {
    seen = {beat, serial, now, false};
    return;
  }
  pool_.rescue(lane);
  if (seen.reported || now - seen.since < kSlowTurn) return;
  seen.reported = true;
  counters_.stuck();
  const auto cell = table_.find(serial);
  report(protocol::LogLevel::warn, (cell ? cell->describe() : "a worker that is gone") +
                                       " has been in one handler for over " + in_ms(kSlowTurn) +
                                       " on a pool thread; use the dedicated executor for blocking work");
}

// -- the end

void WorkerEngine::release_waiting_senders() {
  for (auto& shard : table_.shards()) {
    std::lock_guard lock(shard.mutex);
    shard.tell_waiting_senders();
  }
}

void WorkerEngine::shut_down() {
  closing_.store(true);
  pool_.close();
  for (const auto& cell : table_.all()) {
    std::lock_guard lock(table_.shard(cell->serial()).mutex);
    if (cell->signal) cell->signal->close();
  }
  release_waiting_senders();
  timers_.stop();
  if (!roster_.join_until(Clock::now() + shutdown_timeout_)) leave_stuck_behind();
  drop_everything();
  port_.close();
}

/// A thread that is not in the user's code is on its way out; each round leaves behind those that are.
void WorkerEngine::leave_stuck_behind() {
  do {
    for (const auto& cell : table_.all()) {
      Lock lock(table_.shard(cell->serial()).mutex);
      if (cell->state == CellState::running)
        give_up(lock, cell, "did not return while its hub was being destroyed");
    }
  } while (!roster_.join_until(Clock::now() + kCheckAgain));
}

/// No thread of ours runs any more, except those left behind; they may still deliver to inline handlers.
void WorkerEngine::drop_everything() {
  for (const auto& cell : table_.all()) drop(cell);
  pool_.clear();
  gate_.clear();
}

void WorkerEngine::drop(const CellPtr& cell) {
  for (;;) {
    Lock lock(table_.shard(cell->serial()).mutex);
    if (cell->gone() ||
        (cell->state == CellState::running && give_up(lock, cell, "was still running an inline handler")))
      return;
    if (cell->state != CellState::running) break;
    lock.unlock();
    std::this_thread::yield();
  }
  const Error stopped{ErrorCode::stopped, "the hub stopped"};
  for (auto& message : remove(*cell)) discard(*cell, message, stopped);
  for (const auto& answer : cell->take_open_answers()) answer->finish(stopped);
  cell->destroy();
}

}  // namespace processhub::runtime
