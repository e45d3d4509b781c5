// The steps of a WorkerEngine for workers that are put away when they idle (ChildSpec::passivate_after).
#include <utility>

#include "core/runtime/worker_engine.hpp"

namespace processhub::runtime {

using Clock = WorkerTimers::Clock;

/// Shard lock. Only the newest time counts.
void WorkerEngine::look_again_at(WorkerCell& cell, Clock::time_point when) {
  cell.passivation->look_at = when;
  timers_.arm({when, cell.serial(), kIdleCheck});
}

/// Timer thread.
void WorkerEngine::check_idle(const WorkerTimers::Entry& entry) {
  auto& shard = table_.shard(entry.serial);
  Lock lock(shard.mutex);
  const auto it = shard.cells.find(entry.serial);
  if (it == shard.cells.end()) return;
  CellPtr cell = it->second;
  auto& passivation = *cell->passivation;
  if (passivation.asleep || passivation.look_at != entry.due) return;
  const auto now = Clock::now();
  const auto due = passivation.last_used + passivation.after;
  // In any case: it may have a reason to stay awake.
  look_again_at(*cell, due <= now ? now + passivation.after : due);
  if (due > now || cell->state != CellState::idle) return;
  passivation.due = true;
  cell->state = CellState::queued;
  lock.unlock();
  schedule(std::move(cell));
}

bool WorkerEngine::may_sleep(WorkerCell& cell) {
  if (!cell.passivation) return false;
  std::lock_guard lock(table_.shard(cell.serial()).mutex);
  return std::exchange(cell.passivation->due, false) && cell.inbox.empty();
}

void WorkerEngine::mark_asleep(WorkerCell& cell) {
  std::lock_guard lock(table_.shard(cell.serial()).mutex);
  cell.passivation->asleep = true;
}

void WorkerEngine::mark_awake(WorkerCell& cell) {
  const auto now = Clock::now();
  std::lock_guard lock(table_.shard(cell.serial()).mutex);
  cell.passivation->asleep = false;
  cell.passivation->last_used = now;
  look_again_at(cell, now + cell.passivation->after);
}

}  // namespace processhub::runtime
