// The steps of a WorkerEngine for workers that move with their state: frozen at the source, prepared at the
// target.
#include <utility>
#include <vector>

#include "core/runtime/worker_engine.hpp"

namespace processhub::runtime {

void WorkerEngine::merge(const protocol::effect::MergeState& merge) {
  const auto cell = find(merge.serial);
  if (!cell) return;
  ++cell->merges_waiting;
  enqueue(cell, StateToMerge{merge.state});
}

void WorkerEngine::freeze(const protocol::effect::FreezeWorker& order) {
  auto& shard = table_.shard(order.serial);
  Lock lock(shard.mutex);
  const auto it = shard.cells.find(order.serial);
  if (it == shard.cells.end() || it->second->stopping) return;
  CellPtr cell = it->second;
  if (cell->state == CellState::frozen) return;
  cell->freeze = order.save ? Freeze::with_state : Freeze::without_state;
  cell->hold = order.hold;
  if (cell->state != CellState::idle) return;
  cell->state = CellState::queued;
  lock.unlock();
  schedule(std::move(cell));
}

void WorkerEngine::cancel_freeze(std::uint64_t serial) {
  protocol::event::WorkerFrozen goes_on;
  CellPtr again;
  {
    auto& shard = table_.shard(serial);
    std::lock_guard lock(shard.mutex);
    const auto it = shard.cells.find(serial);
    if (it == shard.cells.end() || it->second->freeze == Freeze::no) return;
    auto& cell = *it->second;
    cell.freeze = Freeze::no;
    if (cell.hold.exchange(false) && cell.state == CellState::idle && !cell.inbox.empty()) {
      cell.state = CellState::queued;
      again = it->second;
    }
    goes_on.serial = serial;
    goes_on.busy = !cell.saving;
    goes_on.why = cell.saving ? "save_state did not return in time" : "it waits for answers of its own";
  }
  port_.call([&](WorkerEvents& events) { events.on_worker_frozen(std::move(goes_on)); });
  if (again) schedule(std::move(again));
}

void WorkerEngine::resume(const protocol::effect::ResumeWorker& resume) {
  auto& shard = table_.shard(resume.serial);
  Lock lock(shard.mutex);
  const auto it = shard.cells.find(resume.serial);
  if (it == shard.cells.end() || it->second->state != CellState::frozen) return;
  CellPtr cell = it->second;
  cell->set_generation(resume.generation);
  cell->only_prepared = false;
  cell->state = CellState::queued;
  lock.unlock();
  schedule(std::move(cell));
}

bool WorkerEngine::park_prepared(WorkerCell& cell) {
  {
    std::lock_guard lock(table_.shard(cell.serial()).mutex);
    if (cell.stopping) return false;
    cell.state = CellState::frozen;
    cell.runner = nullptr;
  }
  port_.call([&](WorkerEvents& events) { events.on_worker_prepared(cell.serial()); });
  return true;
}

bool WorkerEngine::begin_saving(WorkerCell& cell) {
  std::lock_guard lock(table_.shard(cell.serial()).mutex);
  cell.saving = true;
  return cell.freeze == Freeze::with_state;
}

/// What is no message stays: it counts again if the worker is resumed.
bool WorkerEngine::answer_freeze(WorkerCell& cell, protocol::event::WorkerFrozen frozen) {
  const bool is_frozen = frozen.frozen;
  {
    auto& shard = table_.shard(cell.serial());
    std::lock_guard lock(shard.mutex);
    cell.saving = false;
    cell.hold = false;
    if (cell.freeze.exchange(Freeze::no) == Freeze::no || cell.stopping) return false;  // cancelled
    if (is_frozen) {
      auto waiting = cell.unload_batch();
      waiting.append(std::exchange(cell.inbox, {}));
      while (auto item = waiting.pop_front()) {
        if (auto* message = std::get_if<protocol::PostedMessage>(&item->work))
          frozen.leftovers.push_back(std::move(*message));
        else
          cell.inbox.push_back(std::move(item));
      }
      cell.state = CellState::frozen;
      cell.runner = nullptr;
      shard.tell_waiting_senders();
    }
  }
  port_.call([&](WorkerEvents& events) { events.on_worker_frozen(std::move(frozen)); });
  return is_frozen;
}

}  // namespace processhub::runtime
