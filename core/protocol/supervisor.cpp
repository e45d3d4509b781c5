#include "core/protocol/supervisor.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/protocol/mutation.hpp"

namespace processhub::protocol {

LocalChild* Supervisor::find(const Uid& uid) {
  const auto number = by_uid_.find(uid);
  return number == by_uid_.kNone ? nullptr : &children_[number];
}

const LocalChild* Supervisor::find_serial(std::uint64_t serial) const {
  const auto number = by_serial_.find(serial);
  return number == by_serial_.kNone ? nullptr : &children_[number];
}

LocalChild* Supervisor::running_as(std::uint64_t serial) {
  const auto number = by_serial_.find(serial);
  return number == by_serial_.kNone ? nullptr : &children_[number];
}

std::vector<Uid> Supervisor::all() const {
  std::vector<Uid> out;
  out.reserve(count());
  for (std::uint32_t n = 0; n < children_.end(); ++n)
    if (const auto& uid = children_[n].uid) out.push_back(uid);
  std::sort(out.begin(), out.end());
  return out;
}

Duration Supervisor::shutdown_timeout(const LocalChild& child) const {
  const auto& own = child.spec->spec.kind->shutdown_timeout;
  return own ? Duration(*own) : Duration(ctx_.config.shutdown_timeout);
}

void Supervisor::write_row(const LocalChild& child, InstanceState state) {
  bool worker = state == InstanceState::running || state == InstanceState::stopping || child.demoting;
  replication_.set_row(
      {child.uid, child.epoch, child.restarts, child.role, state, worker ? child.serial : 0});
}

void Supervisor::launch(LocalChild& child, StartReason reason, std::shared_ptr<const Bytes> state) {
  if (child.serial != 0) by_serial_.erase(child.number);
  child.serial = ++last_serial_;
  child.state = child.only_prepared ? LocalState::prepared : LocalState::starting;
  if (child.crashes) child.crashes->restart_at = kNever;
  by_serial_.insert(child.number);
  effect::StartWorker start;
  start.serial = child.serial;
  start.uid = child.uid;
  start.spec = std::shared_ptr<const SharedSpec>(child.spec, &child.spec->spec);
  start.generation = child.generation(ctx_.self());
  start.role = child.role;
  start.reason = reason;
  start.shutdown_timeout = shutdown_timeout(child);
  start.prepare = child.only_prepared;
  start.state = std::move(state);
  ctx_.emit(std::move(start));
}

LocalChild& Supervisor::add(const Child& child, std::uint64_t epoch, Role role) {
  const auto number = children_.take();
  auto& local = children_[number];
  local.number = number;
  local.uid = child.uid;
  local.spec = child.spec;
  local.epoch = epoch;
  local.role = role;
  by_uid_.insert(number);
  return local;
}

void Supervisor::start(const Child& child, std::uint64_t epoch, Role role, StartReason reason, bool unseen) {
  if (by_uid_.contains(child.uid)) return;
  auto& local = add(child, epoch, role);
  local.unseen = unseen;
  if (!unseen) write_row(local, InstanceState::starting);
  launch(local, reason);
}

void Supervisor::stop(const Uid& uid, StopReason reason) {
  auto* child = find(uid);
  if (child == nullptr) return;
  const bool ends = std::exchange(child->renewed, false);  // by a restart, and now for good
  if (child->state == LocalState::stopping && !ends) return;
  child->stop_reason = reason;
  if (child->state == LocalState::backoff || child->state == LocalState::failed) {
    if (child->crashes) backoff_.erase({child->crashes->restart_at, child->uid});
    return forget(*child, {});
  }
  bool listed = !(child->unseen && child->state == LocalState::starting) && !child->only_prepared;
  child->state = LocalState::stopping;
  child->demoting = false;
  if (listed) write_row(*child, reason == StopReason::move ? InstanceState::moving : InstanceState::stopping);
  if (!ends) ctx_.emit(effect::StopWorker{child->serial, reason});
}

bool Supervisor::restart(const Uid& uid) {
  auto* child = find(uid);
  if (child == nullptr) return false;
  if (child->renewed) return true;
  if (child->state == LocalState::backoff) {
    backoff_.erase({child->crashes->restart_at, child->uid});
    launch(*child, StartReason::restart);
    return true;
  }
  if (child->state != LocalState::running) return false;
  end_demotion(*child);
  child->state = LocalState::stopping;
  child->renewed = true;
  write_row(*child, InstanceState::restarting);
  ctx_.emit(effect::StopWorker{child->serial, StopReason::restart});
  return true;
}

void Supervisor::renew(LocalChild& child, event::WorkerDown& down) {
  const auto& id = child.spec->spec.id;
  ++child.restarts;
  ctx_.note(LogPart::children, LogLevel::info,
            "restarted by hand" + (down.why.empty() ? std::string() : " (" + down.why + ")"), id);
  ctx_.hook(hook::ChildRestarted{id, {ctx_.self(), last_serial_ + 1}, "restarted by hand"});
  launch(child, StartReason::restart);
  if (!down.leftovers.empty()) events_.on_undelivered(std::move(down.leftovers), id);
}

void Supervisor::stop_all(StopReason reason) {
  for (const auto& uid : all()) stop(uid, reason);
}

void Supervisor::post(const LocalChild& child, PostedMessage message) {
  ctx_.emit(effect::Post{child.serial, std::move(message), child.uid});
}

void Supervisor::forget(LocalChild& child, std::vector<PostedMessage> leftovers) {
  by_uid_.erase(child.number);
  by_serial_.erase(child.number);
  const auto ended = std::move(child);
  children_.give_back(ended.number);
  auto* known = registry_.find(ended.uid);
  bool live = known != nullptr && known->spec;
  if (ended.only_prepared) {
    --prepared_;
    return events_.on_stopped(ended, std::move(leftovers));
  }
  // While the spec lives the row stays as `released`: it says which generation ended here.
  replication_.set_row(
      {ended.uid, live ? ended.epoch : 0, live ? ended.restarts : 0, Role::none, InstanceState::released, 0});
  events_.on_stopped(ended, std::move(leftovers));
}

void Supervisor::on(const event::WorkerUp& up) {
  auto* known = running_as(up.serial);
  if (known == nullptr || known->state != LocalState::starting) return;
  auto& child = *known;
  child.state = LocalState::running;
  write_row(child, InstanceState::running);
  events_.on_running(child);
}

void Supervisor::tell_role(const LocalChild& child, Role role) {
  effect::SetRole told;
  told.serial = child.serial;
  told.generation = child.generation(ctx_.self());
  told.role = role;
  told.tell = signals_ == RoleSignal::all || (signals_ == RoleSignal::active && role == Role::active) ||
              (signals_ == RoleSignal::passive && role == Role::passive);
  ctx_.emit(told);
}

void Supervisor::promote(LocalChild& child, std::uint64_t epoch) {
  if (child.state != LocalState::running) return;
  child.epoch = epoch;
  child.role = Role::active;
  tell_role(child, Role::active);
  write_row(child, InstanceState::running);
}

void Supervisor::demote(LocalChild& child) {
  if (child.state != LocalState::running || child.demoting) return;
  child.demoting = true;
  tell_role(child, Role::passive);
  write_row(child, InstanceState::moving);  // nothing new is sent to it
}

void Supervisor::on(const event::RoleTaken& taken) {
  auto* child = running_as(taken.serial);
  if (child == nullptr || !child->demoting || taken.role != Role::passive) return;
  end_demotion(*child);
  write_row(*child, InstanceState::running);
}

/// Its worker has taken the role, or its next life starts with it.
void Supervisor::end_demotion(LocalChild& child) {
  if (std::exchange(child.demoting, false)) child.role = Role::passive;
}

bool Supervisor::over_intensity(LocalChild& child) {
  const auto& spec = *child.spec->spec.kind;
  auto limit = spec.max_restarts.value_or(ctx_.config.max_restarts);
  auto window = spec.max_seconds ? Duration(*spec.max_seconds) : Duration(ctx_.config.max_seconds);
  if (!child.crashes) child.crashes = std::make_unique<LocalChild::Crashes>();
  auto& times = child.crashes->times;
  times.push_back(ctx_.now);
  std::erase_if(times, [&](Time at) { return ctx_.now - at > window; });
  return times.size() > limit;
}

void Supervisor::on_crash(LocalChild& child, const event::WorkerDown& down) {
  ++ctx_.stats.worker_crashes;
  end_demotion(child);
  const auto& id = child.spec->spec.id;
  if (child.spec->spec.kind->restart == Restart::temporary) {
    ctx_.note(LogPart::children, LogLevel::warn, "crashed and is temporary: removed (" + down.why + ")", id);
    return events_.on_finished(child);
  }
  if (over_intensity(child)) {
    child.state = LocalState::failed;
    child.crashes->restart_at = kNever;
    write_row(child, InstanceState::failed);
    ctx_.note(LogPart::children, LogLevel::error, "failed, crashed too often (" + down.why + ")", id);
    return events_.on_failed(child, down.why);
  }
  if (!mutated(Mutation::restart_keeps_generation)) ++child.restarts;
  ctx_.note(LogPart::children, LogLevel::warn, "crashed and restarted (" + down.why + ")", id);
  ctx_.hook(hook::ChildRestarted{id, {ctx_.self(), last_serial_ + 1}, down.why});
  const auto crashes = child.crashes->times.size();
  if (crashes <= 1) {
    write_row(child, InstanceState::restarting);
    return launch(child, StartReason::restart);
  }
  auto shift = std::min<std::size_t>(crashes - 2, 20);
  auto wait =
      std::min<Duration>(ctx_.config.restart_backoff * (1LL << shift), ctx_.config.restart_backoff_max);
  child.state = LocalState::backoff;
  child.crashes->restart_at = ctx_.now + wait;
  backoff_[{child.crashes->restart_at, child.uid}] = &child;
  write_row(child, InstanceState::restarting);
}

void Supervisor::on(event::Undelivered& back) {
  const auto* local = running_as(back.serial);
  if (local != nullptr && local->state != LocalState::frozen)
    return came_back_[back.serial].push_back(std::move(back.message));
  const auto* child = registry_.find(back.child);
  std::vector<PostedMessage> messages;
  messages.push_back(std::move(back.message));
  events_.on_undelivered(std::move(messages), child != nullptr && child->spec
                                                  ? std::string(child->spec->spec.id)
                                                  : back.child.str());
}

/// They come after what the worker had in its mailbox.
void Supervisor::add_what_came_back(event::WorkerDown& down) {
  const auto found = came_back_.find(down.serial);
  if (found == came_back_.end()) return;
  std::move(found->second.begin(), found->second.end(), std::back_inserter(down.leftovers));
  came_back_.erase(found);
}

void Supervisor::on(event::WorkerDown& down) {
  auto* known = running_as(down.serial);
  if (known == nullptr) return;
  add_what_came_back(down);
  auto& child = *known;
  if (child.only_prepared && child.state == LocalState::prepared) events_.on_prepare_failed(child, down.why);
  // One that ended by itself just then has ended.
  const bool ended = down.exit == WorkerExit::finished || down.exit == WorkerExit::stop_self;
  const bool renewed = std::exchange(child.renewed, false);
  if (renewed && !ended) return renew(child, down);
  if ((child.state == LocalState::stopping && !renewed) || child.only_prepared)
    return forget(child, std::move(down.leftovers));
  bool permanent = child.spec->spec.kind->restart == Restart::permanent;
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
        end_demotion(child);
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
