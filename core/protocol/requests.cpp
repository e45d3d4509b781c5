#include "core/protocol/requests.hpp"

#include <algorithm>

namespace processhub::protocol {

Requests::Requests(Context& context, Registry& registry, Membership& membership, Replication& replication,
                   Placement& placement)
    : ctx_(context),
      registry_(registry),
      membership_(membership),
      replication_(replication),
      placement_(placement) {}

std::uint32_t Requests::open_op(Kind kind, Token token, std::chrono::milliseconds timeout) {
  auto id = ++last_op_;
  auto& op = ops_[id];
  op.kind = kind;
  op.token = token;
  op.deadline = ctx_.now + timeout;
  return id;
}

// -- start
// ---------------------------------------------------------------------------------------------------------------

void Requests::on(event::StartChildren start) {
  auto id = open_op(Kind::start, start.token, start.options.timeout);
  auto& op = ops_[id];
  op.rollback = start.options.on_failure == OnFailure::rollback;
  op.check_existing = start.options.check_existing;
  op.specs = std::move(start.specs);
  op.items.reserve(op.specs.size());
  for (auto& spec : op.specs) {
    for (const auto& [k, v] : start.options.metadata) spec.metadata.try_emplace(k, v);
    if (spec.tag.empty()) spec.tag = start.options.tag;
  }
  touched_.push_back(id);
}

/// Validates a slice. False: a spec is wrong, the request has ended and nothing was started.
bool Requests::check_specs(std::uint32_t id, Op& op, std::size_t& budget) {
  std::vector<std::string> ids;
  for (; budget > 0 && op.checked < op.specs.size(); --budget, ++op.checked) {
    const auto& spec = op.specs[op.checked];
    auto good = validate(spec);
    if (good && !op.seen.try_emplace(spec.id, true).second) {
      good = Error{ErrorCode::invalid, "id '" + spec.id + "' is given twice"};
    }
    if (!good) {
      ctx_.emit(effect::CompleteStart{op.token, good.error()});
      ops_.erase(id);
      return false;
    }
    ids.push_back(spec.id);
  }
  if (!ids.empty()) ctx_.hook(hook::PreChildrenStart{std::move(ids)});
  return true;
}

Child* Requests::create(const ChildSpec& spec, std::uint32_t op) {
  auto owners = placement_.owners_for(spec.id);
  if (owners.empty()) return nullptr;
  auto record = std::make_shared<SpecRecord>();
  record->uid = {ctx_.self(), ++last_counter_};
  record->spec = spec;
  record->first = std::move(owners);
  auto uid = record->uid;
  replication_.add_spec(std::move(record));
  auto* child = registry_.find(uid);
  if (child != nullptr) child->op = op;
  return child;
}

void Requests::begin_start(std::uint32_t id, Op& op, const ChildSpec& spec) {
  auto& item = op.items.emplace_back();
  item.id = spec.id;
  if (op.check_existing && registry_.winner(spec.id) != nullptr) {
    item.done = true;
    item.error = Error{ErrorCode::already_started, "child '" + spec.id + "' lives already"};
    return;
  }
  auto* child = create(spec, id);
  if (child == nullptr) {
    item.done = true;
    item.error = Error{ErrorCode::stopped, "no node may own '" + spec.id + "': all are joining or leaving"};
    return;
  }
  item.uid = child->uid;
  op.index[item.uid] = op.items.size() - 1;
  ++op.open;
}

void Requests::begin_starts(std::uint32_t id, Op& op, std::size_t& budget) {
  for (; budget > 0 && op.next < op.specs.size(); --budget) begin_start(id, op, op.specs[op.next++]);
  op.begun = op.next == op.specs.size();
  if (!op.begun) return;
  op.specs = {};
  op.seen = {};
}

void Requests::on_start_failed(const Uid& uid, const std::string& why) {
  auto* child = registry_.find(uid);
  if (child == nullptr || child->op == 0) return;
  auto it = ops_.find(child->op);
  if (it == ops_.end() || it->second.kind != Kind::start) return;
  auto index = it->second.index.find(uid);
  if (index == it->second.index.end()) return;
  auto id = it->first;
  auto& item = it->second.items[index->second];
  detach(id, item);
  replication_.remove_spec(uid);
  item_done(it->second, item, Error{ErrorCode::start_failed, why});
  touched_.push_back(id);
}

// -- stop
// ----------------------------------------------------------------------------------------------------------------

void Requests::on(event::StopChildren stop) {
  auto id = open_op(Kind::stop, stop.token, stop.options.timeout);
  auto& op = ops_[id];
  if (stop.select == event::Select::ids) {
    op.ids = std::move(stop.values);
  } else {
    const auto& key = stop.values.empty() ? std::string() : stop.values.front();
    for (Slot s = 0; s < registry_.slot_end(); ++s) {
      auto* child = registry_.at(s);
      if (child == nullptr || !child->spec) continue;
      const auto& spec = child->spec->spec;
      bool chosen = stop.select == event::Select::prefix ? spec.id.starts_with(key) : spec.tag == key;
      if (chosen) op.ids.push_back(spec.id);
    }
  }
  std::sort(op.ids.begin(), op.ids.end());
  op.ids.erase(std::unique(op.ids.begin(), op.ids.end()), op.ids.end());
  touched_.push_back(id);
}

bool Requests::stopped_everywhere(const Child& child) const {
  return std::none_of(child.entries.begin(), child.entries.end(),
                      [&](const Entry& e) { return e.listed() && membership_.is_up(e.node); });
}

void Requests::begin_stop(std::uint32_t id, Op& op, const std::string& child_id) {
  auto slots = registry_.all_of(child_id);
  if (slots.empty()) {
    auto& item = op.items.emplace_back();
    item.id = child_id;
    item.done = true;
    item.error = Error{ErrorCode::no_such_child, "no child '" + child_id + "'"};
    return;
  }
  for (auto slot : slots) {
    auto* child = registry_.at(slot);
    if (child == nullptr) continue;
    auto& item = op.items.emplace_back();
    item.id = child_id;
    item.uid = child->uid;
    for (const auto& e : child->entries)
      if (e.listed() && membership_.is_up(e.node)) item.nodes.emplace_back(e.node.name());
    op.index[item.uid] = op.items.size() - 1;
    ++op.open;
    if (auto other = ops_.find(child->op); child->op != 0 && other != ops_.end()) {
      // A start of it is still open: this stop ends it.
      auto at = other->second.index.find(child->uid);
      if (at != other->second.index.end() && !other->second.items[at->second].done) {
        item_done(other->second, other->second.items[at->second],
                  Error{ErrorCode::stopped, "stopped before it ran"});
        touched_.push_back(other->first);
      }
    }
    child->op = id;
    replication_.remove_spec(item.uid);
  }
}

void Requests::begin_stops(std::uint32_t id, Op& op, std::size_t& budget) {
  for (; budget > 0 && op.next < op.ids.size(); --budget) begin_stop(id, op, op.ids[op.next++]);
  op.begun = op.next == op.ids.size();
  if (op.begun) op.ids.clear();
}

// -- values
// --------------------------------------------------------------------------------------------------------------

void Requests::change_value(Token token, const std::string& child_id,
                            const std::function<void(SpecValue&)>& edit) {
  auto* child = registry_.winner(child_id);
  if (child == nullptr) {
    return ctx_.emit(
        effect::CompleteVoid{token, Error{ErrorCode::no_such_child, "no child '" + child_id + "'"}});
  }
  auto value = child->value;
  ++value.version;
  value.writer = ctx_.self();
  edit(value);
  replication_.set_value(child->uid, value);
  auto id = open_op(Kind::change, token, std::chrono::seconds(10));
  ops_[id].begun = true;
  touched_.push_back(id);
}

void Requests::on(event::UpdateMetadata update) {
  change_value(update.token, update.id, [&](SpecValue& v) { v.metadata = update.metadata; });
}

void Requests::on(event::RestartChild restart) {
  change_value(restart.token, restart.id, [](SpecValue& v) {
    v.failed = false;
    v.why.clear();
  });
}

}  // namespace processhub::protocol
