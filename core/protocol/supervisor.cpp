#include "core/protocol/supervisor.hpp"

#include <algorithm>

namespace processhub::protocol {

LocalChild* Supervisor::find(const Uid& uid) {
  auto it = children_.find(uid);
  return it == children_.end() ? nullptr : it->second.get();
}

const LocalChild* Supervisor::find_serial(std::uint64_t serial) const {
  auto it = by_serial_.find(serial);
  return it == by_serial_.end() ? nullptr : it->second;
}

std::vector<Uid> Supervisor::all() const {
  // The map's own order must not reach an effect, so the list is sorted.
  std::vector<Uid> out;
  out.reserve(children_.size());
  for (const auto& [uid, child] : children_) out.push_back(uid);
  std::sort(out.begin(), out.end());
  return out;
}

Duration Supervisor::shutdown_timeout(const LocalChild& child) const {
  return child.spec->spec.shutdown_timeout ? Duration(*child.spec->spec.shutdown_timeout)
                                           : Duration(ctx_.config.shutdown_timeout);
}

void Supervisor::write_row(const LocalChild& child, InstanceState state) {
  bool worker = state == InstanceState::running || state == InstanceState::stopping;
  replication_.set_row(
      {child.uid, child.epoch, child.restarts, child.role, state, worker ? child.serial : 0});
}

void Supervisor::launch(LocalChild& child, StartReason reason) {
  if (child.serial != 0) by_serial_.erase(child.serial);
  child.serial = ++last_serial_;
  child.state = LocalState::starting;
  child.restart_at = kNever;
  by_serial_[child.serial] = &child;
  effect::StartWorker start;
  start.serial = child.serial;
  start.uid = child.uid;
  start.spec = std::shared_ptr<const ChildSpec>(child.spec, &child.spec->spec);
  start.generation = child.generation(ctx_.self());
  start.role = child.role;
  start.reason = reason;
  start.shutdown_timeout = shutdown_timeout(child);
  ctx_.emit(std::move(start));
}

void Supervisor::start(const Child& child, std::uint64_t epoch, Role role, StartReason reason, bool unseen) {
  auto [it, fresh] = children_.try_emplace(child.uid, nullptr);
  if (!fresh) return;
  it->second = std::make_unique<LocalChild>();
  auto& local = *it->second;
  local.uid = child.uid;
  local.spec = child.spec;
  local.epoch = epoch;
  local.role = role;
  local.unseen = unseen;
  if (!unseen) write_row(local, InstanceState::starting);
  launch(local, reason);
}

void Supervisor::stop(const Uid& uid, StopReason reason) {
  auto* child = find(uid);
  if (child == nullptr || child->state == LocalState::stopping) return;
  child->stop_reason = reason;
  if (child->state == LocalState::backoff || child->state == LocalState::failed) {
    backoff_.erase({child->restart_at, child->uid});
    return forget(*child, {});
  }
  bool listed = !(child->unseen && child->state == LocalState::starting);
  child->state = LocalState::stopping;
  if (listed) write_row(*child, reason == StopReason::move ? InstanceState::moving : InstanceState::stopping);
  ctx_.emit(effect::StopWorker{child->serial, reason});
}

void Supervisor::stop_all(StopReason reason) {
  for (const auto& uid : all()) stop(uid, reason);
}

void Supervisor::post(const LocalChild& child, PostedMessage message) {
  ctx_.emit(effect::Post{child.serial, std::move(message)});
}

void Supervisor::forget(LocalChild& child, std::vector<PostedMessage> leftovers) {
  auto owned = std::move(children_[child.uid]);
  children_.erase(owned->uid);
  by_serial_.erase(owned->serial);
  auto* known = registry_.find(owned->uid);
  bool live = known != nullptr && known->spec;
  // While the spec lives the row stays as `released`: it says which generation ended here.
  replication_.set_row({owned->uid, live ? owned->epoch : 0, live ? owned->restarts : 0, Role::none,
                        InstanceState::released, 0});
  events_.on_stopped(*owned, std::move(leftovers));
}

void Supervisor::on(const event::WorkerUp& up) {
  auto it = by_serial_.find(up.serial);
  if (it == by_serial_.end() || it->second->state != LocalState::starting) return;
  auto& child = *it->second;
  child.state = LocalState::running;
  write_row(child, InstanceState::running);
  events_.on_running(child);
}

bool Supervisor::over_intensity(LocalChild& child) {
  const auto& spec = child.spec->spec;
  auto limit = spec.max_restarts.value_or(ctx_.config.max_restarts);
  auto window = spec.max_seconds ? Duration(*spec.max_seconds) : Duration(ctx_.config.max_seconds);
  child.crashes.push_back(ctx_.now);
  std::erase_if(child.crashes, [&](Time at) { return ctx_.now - at > window; });
  return child.crashes.size() > limit;
}

void Supervisor::on_crash(LocalChild& child, const event::WorkerDown& down) {
  ++ctx_.stats.worker_crashes;
  const auto& id = child.spec->spec.id;
  if (child.spec->spec.restart == Restart::temporary) return events_.on_finished(child);
  if (over_intensity(child)) {
    child.state = LocalState::failed;
    child.restart_at = kNever;
    write_row(child, InstanceState::failed);
    ctx_.hook(hook::ChildFailed{id, down.why});
    ctx_.log(LogLevel::error, "child " + id + " failed: " + down.why);
    return events_.on_failed(child, down.why);
  }
  ++child.restarts;
  ctx_.hook(hook::ChildRestarted{id, {ctx_.self(), last_serial_ + 1}, down.why});
  if (child.crashes.size() <= 1) {
    write_row(child, InstanceState::restarting);
    return launch(child, StartReason::restart);
  }
  auto shift = std::min<std::size_t>(child.crashes.size() - 2, 20);
  auto wait =
      std::min<Duration>(ctx_.config.restart_backoff * (1LL << shift), ctx_.config.restart_backoff_max);
  child.state = LocalState::backoff;
  child.restart_at = ctx_.now + wait;
  backoff_[{child.restart_at, child.uid}] = &child;
  write_row(child, InstanceState::restarting);
}

void Supervisor::on(event::WorkerDown& down) {
  auto it = by_serial_.find(down.serial);
  if (it == by_serial_.end()) return;
  auto& child = *it->second;
  if (child.state == LocalState::stopping) return forget(child, std::move(down.leftovers));
  bool permanent = child.spec->spec.restart == Restart::permanent;
  auto id = child.spec->spec.id;  // the child may be gone after its event
  switch (down.exit) {
    case WorkerExit::start_failed:
      if (child.unseen && child.restarts == 0) {
        child.state = LocalState::failed;
        write_row(child, InstanceState::failed);
        events_.on_start_failed(child, down.why);
      } else {
        on_crash(child, down);
      }
      break;
    case WorkerExit::finished:
      if (permanent) {
        ++child.restarts;
        write_row(child, InstanceState::restarting);
        launch(child, StartReason::restart);
      } else {
        child.state = LocalState::failed;  // nothing runs; the removal that follows forgets it
        events_.on_finished(child);
      }
      break;
    case WorkerExit::stop_self:
      child.state = LocalState::failed;
      events_.on_finished(child);
      break;
    case WorkerExit::crashed:
    case WorkerExit::stopped:
      child.state = LocalState::failed;
      on_crash(child, down);
      break;
  }
  if (!down.leftovers.empty()) events_.on_undelivered(std::move(down.leftovers), id);
}

void Supervisor::tick() {
  while (!backoff_.empty() && backoff_.begin()->first.first <= ctx_.now) {
    auto* child = backoff_.begin()->second;
    backoff_.erase(backoff_.begin());
    launch(*child, StartReason::restart);
  }
}

Time Supervisor::next_deadline() const { return backoff_.empty() ? kNever : backoff_.begin()->first.first; }

}  // namespace processhub::protocol
