// The steps of Supervisor for a child that moves with its state: frozen at its source, prepared at its
// target.
#include <iterator>
#include <utility>

#include "core/protocol/supervisor.hpp"

namespace processhub::protocol {

/// What it had not begun waits for its next life, before all that comes later: nothing new is sent to a row
/// that says moving.
void Supervisor::on(event::WorkerFrozen& frozen) {
  auto* child = running_as(frozen.serial);
  if (child == nullptr) return;
  if (!frozen.frozen) {
    if (child->state == LocalState::running) events_.on_freeze_failed(*child, frozen);
    return;
  }
  auto leftovers = std::move(frozen.leftovers);
  if (const auto back = came_back_.find(frozen.serial); back != came_back_.end()) {
    std::move(back->second.begin(), back->second.end(), std::back_inserter(leftovers));
    came_back_.erase(back);
  }
  if (child->state != LocalState::running) {
    if (!leftovers.empty()) came_back_[frozen.serial] = std::move(leftovers);  // its end is on its way
    return;
  }
  const auto id = child->spec->spec.id;
  child->state = LocalState::frozen;
  write_row(*child, InstanceState::moving);
  events_.on_frozen(*child, frozen);
  if (!leftovers.empty()) events_.on_undelivered(std::move(leftovers), id);
}

void Supervisor::thaw(LocalChild& child, std::uint64_t epoch) {
  if (child.state != LocalState::frozen) return;
  if (epoch != 0) child.epoch = epoch;
  child.state = LocalState::running;
  ctx_.emit(effect::ResumeWorker{child.serial, child.generation(ctx_.self())});
  write_row(child, child.demoting ? InstanceState::moving : InstanceState::running);
}

void Supervisor::prepare(const Child& child, std::uint64_t epoch, Role role,
                         std::shared_ptr<const Bytes> state) {
  if (by_uid_.contains(child.uid)) return;
  auto& local = add(child, epoch, role);
  local.only_prepared = true;
  ++prepared_;
  launch(local, StartReason::move, std::move(state));
}

bool Supervisor::is_prepared(const Uid& uid) const {
  if (prepared_ == 0) return false;
  const auto number = by_uid_.find(uid);
  return number != by_uid_.kNone && children_[number].only_prepared;
}

void Supervisor::on(const event::WorkerPrepared& prepared) {
  const auto* child = running_as(prepared.serial);
  if (child != nullptr && child->state == LocalState::prepared) events_.on_prepared(*child);
}

void Supervisor::activate(LocalChild& child) {
  if (child.state != LocalState::prepared) return;
  child.only_prepared = false;
  --prepared_;
  child.state = LocalState::starting;
  write_row(child, InstanceState::starting);
  ctx_.emit(effect::ResumeWorker{child.serial, child.generation(ctx_.self())});
}

}  // namespace processhub::protocol
