// How open requests end: children that run or are gone, confirmations, deadlines, roll-back.
#include <algorithm>

#include "core/protocol/requests.hpp"

namespace processhub::protocol {

void Requests::item_done(Op& op, Item& item, std::optional<Error> error) {
  if (item.done) return;
  item.done = true;
  item.error = std::move(error);
  --op.open;
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
  auto& item = op.items[index->second];
  if (item.done) return;
  if (op.kind == Kind::stop) {
    if (!stopped_everywhere(child)) return;
    item_done(op, item, std::nullopt);
  } else if (!child.spec) {
    item_done(op, item, Error{ErrorCode::already_started, "another start of '" + item.id + "' won"});
  } else {
    std::size_t running = 0;
    for (const auto& e : child.entries)
      running += e.state == InstanceState::running && membership_.is_up(e.node) ? 1 : 0;
    if (running == 0 || running < std::min(child.owners.size(), child.spec->first.size())) return;
    item_done(op, item, std::nullopt);
  }
  if (op.open == 0) touched_.push_back(it->first);
}

void Requests::on_view_changed() {
  for (auto& [id, op] : ops_) {
    touched_.push_back(id);
    for (auto& [uid, index] : op.index)
      if (auto* child = registry_.find(uid); child != nullptr && !op.items[index].done)
        on_child_changed(*child);
  }
}

bool Requests::copies_confirmed(Op& op) {
  auto peers = membership_.up_peers();
  auto needed = std::min<std::size_t>(peers.size(), ctx_.config.spec_copies);
  auto have = std::count_if(peers.begin(), peers.end(),
                            [&](NodeId p) { return replication_.acknowledged(p) >= op.publication; });
  return static_cast<std::size_t>(have) >= needed;
}

void Requests::roll_back_if_failed(Op& op) {
  bool failed =
      std::any_of(op.items.begin(), op.items.end(), [](const Item& i) { return i.error.has_value(); });
  if (op.kind != Kind::start || !op.rollback || !failed || op.result.rolled_back) return;
  op.result.rolled_back = true;
  for (auto& item : op.items) {
    if (!item.uid || registry_.find(item.uid) == nullptr) continue;
    replication_.remove_spec(item.uid);
    if (!item.error) item.error = Error{ErrorCode::rolled_back, "undone: another child of the call failed"};
  }
}

/// The deadline passed: what did not get done is undone, so that a late start message finds nothing to start.
void Requests::expire(std::uint32_t id, Op& op) {
  op.begun = true;
  for (auto i = op.next; i < op.specs.size(); ++i) op.items.emplace_back().id = op.specs[i].id;
  for (auto i = op.next; i < op.ids.size(); ++i) op.items.emplace_back().id = op.ids[i];
  op.open = op.items.size();  // counted down below
  for (auto& item : op.items) {
    if (item.done) continue;
    if (op.kind == Kind::start && item.uid) replication_.remove_spec(item.uid);
    item_done(op, item,
              Error{ErrorCode::timeout,
                    "'" + item.id + "' did not " + (op.kind == Kind::start ? "start" : "stop") + " in time"});
  }
  roll_back_if_failed(op);
  finish(id, op);
}

/// Adds a slice of items to the answer; true when it is complete.
bool Requests::tell_start(Op& op, std::size_t& budget) {
  std::vector<std::string> started;
  for (; budget > 0 && op.told < op.items.size(); --budget, ++op.told) {
    auto& item = op.items[op.told];
    ChildStarted c;
    c.id = item.id;
    c.error = item.error;
    auto* child = registry_.find(item.uid);
    if (child != nullptr && !c.error) {
      for (const auto& e : child->entries) {
        if (e.listed() && membership_.is_up(e.node))
          c.instances.push_back({{e.node, e.serial}, e.role, e.state, e.generation()});
      }
      started.push_back(item.id);
    }
    op.result.children.push_back(std::move(c));
  }
  if (!started.empty()) ctx_.hook(hook::ChildrenStarted{std::move(started)});
  return op.told == op.items.size();
}

void Requests::finish_start(Op& op) {
  auto everything = op.items.size();
  tell_start(op, everything);
  auto& children = op.result.children;
  auto good = std::count_if(children.begin(), children.end(), [](const ChildStarted& c) { return !c.error; });
  auto all = static_cast<std::ptrdiff_t>(children.size());
  op.result.status = good == all ? CallStatus::ok : good == 0 ? CallStatus::failed : CallStatus::partial;
  ctx_.emit(effect::CompleteStart{op.token, std::move(op.result)});
}

void Requests::finish_stop(Op& op) {
  StopResult result;
  std::size_t good = 0;
  for (auto& item : op.items) {
    good += item.error ? 0 : 1;
    result.children.push_back({item.id, std::move(item.nodes), std::move(item.error)});
  }
  result.status = good == op.items.size() ? CallStatus::ok
                  : good == 0             ? CallStatus::failed
                                          : CallStatus::partial;
  ctx_.emit(effect::CompleteStop{op.token, std::move(result)});
}

void Requests::finish(std::uint32_t id, Op& op) {
  if (op.kind == Kind::start) finish_start(op);
  if (op.kind == Kind::stop) finish_stop(op);
  if (op.kind == Kind::change) ctx_.emit(effect::CompleteVoid{op.token, {}});
  auto items = std::move(op.items);
  ops_.erase(id);
  for (const auto& item : items) detach(id, item);
}

void Requests::check(std::uint32_t id, std::size_t& budget) {
  auto it = ops_.find(id);
  if (it == ops_.end()) return;
  auto& op = it->second;
  if (!op.begun || op.open > 0 || !copies_confirmed(op)) return;
  roll_back_if_failed(op);
  if (op.kind == Kind::start && !tell_start(op, budget)) return touched_.push_back(id);
  finish(id, op);
}

bool Requests::work(std::size_t budget) {
  if (recheck_acks_) {
    recheck_acks_ = false;
    for (const auto& [id, op] : ops_)
      if (op.begun && op.open == 0) touched_.push_back(id);
  }
  auto ids = std::move(touched_);
  touched_.clear();
  for (auto id : ids) {
    auto it = ops_.find(id);
    if (it == ops_.end()) continue;
    auto& op = it->second;
    if (!op.begun && op.kind == Kind::start) {
      if (!check_specs(id, op, budget)) continue;
      if (op.checked == op.specs.size()) begin_starts(id, op, budget);
    }
    if (!op.begun && op.kind == Kind::stop) begin_stops(id, op, budget);
    if (!op.begun) {
      touched_.push_back(id);
    } else {
      if (op.publication == 0) op.publication = replication_.flush_deltas();
      check(id, budget);
    }
  }
  return !touched_.empty();
}

void Requests::tick() {
  std::vector<std::uint32_t> late;
  for (const auto& [id, op] : ops_)
    if (ctx_.now >= op.deadline) late.push_back(id);
  for (auto id : late) expire(id, ops_[id]);
}

Time Requests::next_deadline() const {
  if (!touched_.empty()) return Time::zero();
  Time due = kNever;
  for (const auto& [id, op] : ops_) due = std::min(due, op.deadline);
  return due;
}

void Requests::fail_all(const Error& error) {
  for (auto& [id, op] : ops_) {
    if (op.kind == Kind::start) ctx_.emit(effect::CompleteStart{op.token, error});
    if (op.kind == Kind::stop) ctx_.emit(effect::CompleteStop{op.token, error});
    if (op.kind == Kind::change) ctx_.emit(effect::CompleteVoid{op.token, error});
  }
  ops_.clear();
}

}  // namespace processhub::protocol
