// How open requests end: children that run or are gone, confirmations, deadlines, roll-back.
#include <algorithm>

#include "core/protocol/mutation.hpp"
#include "core/protocol/requests.hpp"

namespace processhub::protocol {

std::optional<Error>& Requests::error_of(Op& op, std::size_t item) {
  return op.kind == Kind::start ? op.started.children[item].error : op.stopped.children[item].error;
}

const std::string& Requests::id_of(const Op& op, std::size_t item) const {
  return op.kind == Kind::start ? op.started.children[item].id : op.stopped.children[item].id;
}

void Requests::item_done(Op& op, std::size_t item, std::optional<Error> error) {
  if (op.items[item].done) return;
  op.items[item].done = true;
  --op.open;
  if (!error) return;
  error_of(op, item) = std::move(error);
  ++op.failed;
}

void Requests::detach(std::uint32_t id, const Item& item) {
  auto* child = item.uid ? registry_.find(item.uid) : nullptr;
  if (child == nullptr || child->op != id) return;
  child->op = 0;
  registry_.release_if_empty(*child);
}

void Requests::on_child_changed(Child& child) {
  auto it = ops_.find(child.op);
  if (it == ops_.end()) return;
  auto& op = it->second;
  auto index = op.index.find(child.uid);
  if (index == op.index.end()) return;
  auto item = index->second;
  if (op.items[item].done) return;
  if (op.kind == Kind::move) {
    on_moving_changed(op, item, child);
  } else if (op.kind == Kind::stop) {
    if (!stopped_everywhere(child)) return;
    item_done(op, item, std::nullopt);
  } else if (!child.spec) {
    item_done(op, item, Error{ErrorCode::already_started, "another start of '" + id_of(op, item) + "' won"});
  } else {
    std::size_t running = 0;
    for (const auto& e : child.entries)
      running += e.state == InstanceState::running && membership_.is_up(e.node) ? 1 : 0;
    if (running == 0 || running < std::min(child.owners.size(), child.spec->first.size())) return;
    item_done(op, item, std::nullopt);
  }
  if (op.open == 0) touched_.push_back(it->first);
}

void Requests::on_moving_changed(Op& op, std::size_t item, const Child& child) {
  const auto* entry = child.entry_of(op.target);
  if (!child.spec) {
    item_done(op, item, Error{ErrorCode::stopped, "'" + id_of(op, item) + "' was stopped before it moved"});
  } else if (!membership_.is_up(op.target)) {
    item_done(
        op, item,
        Error{ErrorCode::node_down, op.target.str() + " went before '" + id_of(op, item) + "' was there"});
  } else if (entry != nullptr && entry->state == InstanceState::running) {
    item_done(op, item, std::nullopt);
  }
}

void Requests::on_view_changed() {
  for (auto& [id, op] : ops_) {
    touched_.push_back(id);
    op.rechecked = 0;
  }
}

void Requests::recheck(Op& op, std::size_t& budget) {
  for (; budget > 0 && op.rechecked < op.items.size(); --budget, ++op.rechecked) {
    if (op.items[op.rechecked].done) continue;
    if (auto* child = registry_.find(op.items[op.rechecked].uid)) on_child_changed(*child);
  }
}

bool Requests::copies_confirmed(const Op& op) {
  if (mutated(Mutation::answers_too_early)) return true;
  auto peers = membership_.up_peers();
  auto needed = std::min<std::size_t>(peers.size(), ctx_.config.spec_copies);
  auto have = std::count_if(peers.begin(), peers.end(),
                            [&](NodeId p) { return replication_.acknowledged(p) >= op.publication; });
  return static_cast<std::size_t>(have) >= needed;
}

/// The deadline passed: what did not get done is undone, so that a late start message finds nothing to start.
bool Requests::time_out(Op& op, std::size_t& budget) {
  const bool confirmed = op.open == 0 && copies_confirmed(op);
  const auto error = [&](std::size_t item, bool done) {
    const auto* verb = op.kind == Kind::start ? "start" : op.kind == Kind::stop ? "stop" : "move";
    return Error{ErrorCode::timeout, done ? "too few nodes confirmed the " + std::string(verb) + " of '" +
                                                id_of(op, item) + "' in time"
                                          : "'" + id_of(op, item) + "' did not " + verb + " in time"};
  };
  for (; budget > 0 && !op.begun && op.next < op.specs.size(); --budget) add_item(op, op.specs[op.next++].id);
  if (op.select == event::Select::ids)
    for (; budget > 0 && !op.begun && op.next < op.ids.size(); --budget) add_item(op, op.ids[op.next++]);
  if (budget == 0) return false;
  op.begun = true;
  for (; budget > 0 && op.timed_out < op.items.size(); --budget, ++op.timed_out) {
    auto& item = op.items[op.timed_out];
    const bool done = item.done;
    if (done && (confirmed || !item.uid || error_of(op, op.timed_out))) continue;
    if (done) ++op.open;
    item.done = false;
    item_done(op, op.timed_out,
              error(op.timed_out, done));  // first: the removal would be taken for a lost conflict
    if (op.kind == Kind::start && item.uid) replication_.remove_spec(item.uid);
  }
  return op.timed_out == op.items.size();
}

/// True when nothing (more) is to be undone.
bool Requests::roll_back(Op& op, std::size_t& budget) {
  if (op.kind != Kind::start || !op.rollback || op.failed == 0) return true;
  op.started.rolled_back = true;
  for (; budget > 0 && op.rolled_back < op.items.size(); --budget, ++op.rolled_back) {
    const auto& item = op.items[op.rolled_back];
    if (!item.uid || registry_.find(item.uid) == nullptr) continue;
    replication_.remove_spec(item.uid);
    auto& error = error_of(op, op.rolled_back);
    if (error) continue;
    error = Error{ErrorCode::rolled_back, "undone: another child of the call failed"};
    ++op.failed;
  }
  return op.rolled_back == op.items.size();
}

void Requests::tell_start(Op& op, std::size_t item, hook::ChildrenStarted& started,
                          hook::PostChildrenStart& ended) {
  const auto* child = registry_.find(op.items[item].uid);
  auto& told = op.started.children[item];
  if (item < op.announced) ended.ids.push_back(told.id);
  if (item < op.announced && told.error) ended.failed.push_back(told.id);
  if (child == nullptr || told.error) return;
  for (const auto& e : child->entries) {
    if (e.listed() && membership_.is_up(e.node))
      told.instances.push_back({{e.node, e.serial}, e.role, e.state, e.generation()});
  }
  started.ids.push_back(told.id);
}

/// Completes the answer, and lets go of the children.
bool Requests::tell(std::uint32_t id, Op& op, std::size_t& budget) {
  hook::ChildrenStarted started;
  hook::PostChildrenStart ended;
  for (; budget > 0 && op.told < op.items.size(); --budget, ++op.told) {
    if (op.kind == Kind::start) tell_start(op, op.told, started, ended);
    detach(id, op.items[op.told]);
  }
  if (!started.ids.empty()) ctx_.hook(std::move(started));
  if (!ended.ids.empty()) ctx_.hook(std::move(ended));
  return op.told == op.items.size();
}

void Requests::finish(std::uint32_t id, Op& op) {
  const auto status = op.failed == 0                 ? CallStatus::ok
                      : op.failed == op.items.size() ? CallStatus::failed
                                                     : CallStatus::partial;
  op.started.status = op.stopped.status = status;
  if (op.kind == Kind::start) ctx_.emit(effect::CompleteStart{op.token, std::move(op.started)});
  if (op.kind == Kind::stop) ctx_.emit(effect::CompleteStop{op.token, std::move(op.stopped)});
  if (op.kind == Kind::move) {
    auto& error = op.stopped.children.front().error;
    ctx_.emit(effect::CompleteVoid{op.token, error ? Result<void>(std::move(*error)) : Result<void>{}});
  }
  if (op.kind == Kind::change) {
    const bool good = copies_confirmed(op);
    const Error late{ErrorCode::timeout, "too few nodes confirmed the change in time"};
    ctx_.emit(effect::CompleteVoid{op.token, good ? Result<void>{} : Result<void>{late}});
  }
  ops_.erase(id);
}

/// A slice of one request; false if more is to do at once.
bool Requests::advance(std::uint32_t id, Op& op, std::size_t& budget) {
  if (op.late) {
    if (!time_out(op, budget)) return false;
  } else if (!op.begun) {
    if (op.kind == Kind::start && !check_specs(id, op, budget)) return true;
    if (op.kind == Kind::start && op.checked == op.specs.size()) {
      if (awaits_places(id, op)) return true;
      begin_starts(id, op, budget);
    }
    if (op.kind == Kind::stop) begin_stops(id, op, budget);
    if (!op.begun) return false;
  }
  recheck(op, budget);
  if (op.publication == 0) op.publication = replication_.flush_deltas();
  if (!op.late && (op.open > 0 || !copies_confirmed(op))) return op.rechecked >= op.items.size();
  if (!roll_back(op, budget) || !tell(id, op, budget)) return false;
  finish(id, op);
  return true;
}

bool Requests::work(std::size_t budget) {
  if (recheck_acks_) {
    recheck_acks_ = false;
    for (const auto& [id, op] : ops_)
      if (op.begun && op.open == 0) touched_.push_back(id);
  }
  auto ids = std::exchange(touched_, {});
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  for (auto id : ids) {
    auto it = ops_.find(id);
    if (it != ops_.end() && !advance(id, it->second, budget)) touched_.push_back(id);
  }
  return !touched_.empty();
}

void Requests::tick() {
  for (auto& [id, op] : ops_) {
    if (op.answer_until != kNoAnswer && ctx_.now >= op.answer_until) on_load_told(id);
    if (op.late || ctx_.now < op.deadline) continue;
    op.late = true;
    touched_.push_back(id);
  }
}

Time Requests::next_deadline() const {
  if (!touched_.empty()) return Time::zero();
  Time due = kNever;
  for (const auto& [id, op] : ops_) {
    due = std::min(due, op.deadline);
    if (op.answer_until != kNoAnswer) due = std::min(due, op.answer_until);
  }
  return due;
}

void Requests::give_up(Op& op, const Error& error) {
  if (op.kind == Kind::stop) ctx_.emit(effect::CompleteStop{op.token, error});
  if (op.kind == Kind::change || op.kind == Kind::move) ctx_.emit(effect::CompleteVoid{op.token, error});
  if (op.kind != Kind::start) return;
  hook::PostChildrenStart ended;
  for (; op.told < op.announced; ++op.told) ended.ids.push_back(op.started.children[op.told].id);
  ended.failed = ended.ids;
  if (!ended.ids.empty()) ctx_.hook(std::move(ended));
  ctx_.emit(effect::CompleteStart{op.token, error});
}

void Requests::fail_all(const Error& error) {
  for (auto& [id, op] : ops_) give_up(op, error);
  ops_.clear();
}

}  // namespace processhub::protocol
