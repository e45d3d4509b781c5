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
  op.started.children.reserve(op.specs.size());
  op.index.reserve(op.specs.size());
  op.seen.reserve(op.specs.size());
  for (auto& spec : op.specs) apply(start.options, spec);
  touched_.push_back(id);
}

/// Validates a slice. False: a spec is wrong, the request has ended and nothing was started.
bool Requests::check_specs(std::uint32_t id, Op& op, std::size_t& budget) {
  for (; budget > 0 && op.checked < op.specs.size(); --budget, ++op.checked) {
    const auto& spec = op.specs[op.checked];
    auto good = validate(spec);
    const auto longest = std::min(ctx_.config.max_message_size, ctx_.config.link_ring_bytes) / 2;
    if (const auto size = spec.args.bytes().size(); good && size > longest) {
      good = Error{ErrorCode::invalid, "args of '" + spec.id + "' have " + std::to_string(size) +
                                           " bytes, more than half of max_message_size or link_ring_bytes"};
    }
    if (good && placement_.has_eligible()) good = placement_.check(spec);
    if (good && !op.seen.insert(spec.id).second) {
      good = Error{ErrorCode::invalid, "id '" + spec.id + "' is given twice"};
    }
    if (!good) {
      ctx_.emit(effect::CompleteStart{op.token, good.error()});
      ops_.erase(id);
      return false;
    }
  }
  return true;
}

Child* Requests::create(ChildSpec&& spec, std::uint32_t op) {
  auto owners = placement_.owners_for(spec);
  if (owners.empty()) return nullptr;
  auto record = std::make_shared<SpecRecord>();
  record->uid = {ctx_.self(), ++last_counter_};
  record->spec = SharedSpec(std::move(spec));
  record->first.assign(owners.begin(), owners.end());
  auto uid = record->uid;
  replication_.add_spec(std::move(record));
  auto* child = registry_.find(uid);
  if (child != nullptr) child->op = op;
  return child;
}

Requests::Item& Requests::add_item(Op& op, std::string id) {
  if (op.kind == Kind::start) op.started.children.emplace_back().id = std::move(id);
  if (op.kind != Kind::start) op.stopped.children.emplace_back().id = std::move(id);
  ++op.open;
  return op.items.emplace_back();
}

void Requests::begin_start(std::uint32_t id, Op& op, ChildSpec spec) {
  auto& item = add_item(op, spec.id);
  const auto at = op.items.size() - 1;
  if (op.check_existing && registry_.winner(spec.id) != nullptr) {
    return item_done(op, at, Error{ErrorCode::already_started, "child '" + spec.id + "' lives already"});
  }
  auto* child = create(std::move(spec), id);
  if (child == nullptr && placement_.has_eligible()) {
    // NOLINTNEXTLINE(bugprone-use-after-move): a spec that nobody can run stays
    return item_done(op, at, Error{ErrorCode::start_failed, placement_.nobody_has(spec)});
  }
  if (child == nullptr) {
    return item_done(
        op, at,
        Error{ErrorCode::stopped, "no node may own '" + id_of(op, at) + "': all are joining or leaving"});
  }
  item.uid = child->uid;
  op.index[item.uid] = static_cast<std::uint32_t>(at);
}

/// With a leader that says how busy the nodes are. A silent one is not waited for: the last it said will do.
bool Requests::awaits_places(std::uint32_t id, Op& op) {
  constexpr Duration kPatience = std::chrono::milliseconds(200);
  if (!std::exchange(op.asked, true) && placement_.ask_for_places(id, op.specs.size()))
    op.answer_until = ctx_.now + kPatience;
  return op.answer_until != kNoAnswer;
}

void Requests::on_load_told(std::uint32_t id) {
  const auto op = ops_.find(id);
  if (op == ops_.end() || op->second.answer_until == kNoAnswer) return;
  op->second.answer_until = kNoAnswer;
  touched_.push_back(id);
}

/// Names as many as begin in this slice.
void Requests::announce_starts(Op& op, std::size_t& budget) {
  const auto until = op.next + std::min(budget, op.specs.size() - op.next);
  hook::PreChildrenStart pre;
  for (; op.announced < until; ++op.announced) pre.ids.push_back(op.specs[op.announced].id);
  if (!pre.ids.empty()) ctx_.hook(std::move(pre));
}

void Requests::begin_starts(std::uint32_t id, Op& op, std::size_t& budget) {
  op.seen = {};  // it refers to ids that are moved from now on
  announce_starts(op, budget);
  for (; budget > 0 && op.next < op.specs.size(); --budget)
    begin_start(id, op, std::move(op.specs[op.next++]));
  op.begun = op.next == op.specs.size();
  if (op.begun) op.specs = {};
}

void Requests::on_start_failed(const Uid& uid, const std::string& why) {
  auto* child = registry_.find(uid);
  if (child == nullptr || child->op == 0) return;
  auto it = ops_.find(child->op);
  if (it == ops_.end() || it->second.kind != Kind::start) return;
  auto index = it->second.index.find(uid);
  if (index == it->second.index.end()) return;
  auto id = it->first;
  auto item = index->second;
  // Its rows came first, and say that it runs by now: a copy was tried again.
  if (it->second.items[item].done) return;
  detach(id, it->second.items[item]);
  replication_.remove_spec(uid);
  item_done(it->second, item, Error{ErrorCode::start_failed, why});
  touched_.push_back(id);
}

// -- stop
// ----------------------------------------------------------------------------------------------------------------

void Requests::on(event::StopChildren stop) {
  auto id = open_op(Kind::stop, stop.token, stop.options.timeout);
  auto& op = ops_[id];
  op.select = stop.select;
  op.ids = std::move(stop.values);
  if (op.select != event::Select::ids) op.ids.resize(1);  // the prefix or the tag
  op.seen.reserve(op.ids.size());
  touched_.push_back(id);
}

bool Requests::stopped_everywhere(const Child& child) const {
  return std::none_of(child.entries.begin(), child.entries.end(),
                      [&](const Entry& e) { return e.listed() && membership_.is_up(e.node); });
}

void Requests::begin_stop(std::uint32_t id, Op& op, const std::string& child_id) {
  auto slots = registry_.all_of(child_id);
  if (slots.empty()) {
    add_item(op, child_id);
    return item_done(op, op.items.size() - 1, Error{ErrorCode::no_such_child, "no child '" + child_id + "'"});
  }
  for (auto slot : slots) {
    auto* child = registry_.at(slot);
    if (child == nullptr) continue;
    const auto uid = child->uid;
    add_item(op, child_id).uid = uid;
    for (const auto& e : child->entries)
      if (e.listed() && membership_.is_up(e.node))
        op.stopped.children.back().nodes.emplace_back(e.node.name());
    op.index[uid] = static_cast<std::uint32_t>(op.items.size() - 1);
    if (auto other = ops_.find(child->op); child->op != 0 && other != ops_.end()) {
      // A start of it is still open: this stop ends it.
      auto at = other->second.index.find(uid);
      if (at != other->second.index.end() && !other->second.items[at->second].done) {
        item_done(other->second, at->second, Error{ErrorCode::stopped, "stopped before it ran"});
        touched_.push_back(other->first);
      }
    }
    child->op = id;
    placement_.remove(*child);
  }
}

/// By prefix or tag: `next` goes through the registry.
void Requests::begin_stops_of(std::uint32_t id, Op& op, std::size_t& budget) {
  const auto& key = op.ids.front();
  for (; budget > 0 && op.next < registry_.slot_end(); --budget, ++op.next) {
    const auto* child = registry_.at(static_cast<Slot>(op.next));
    if (child == nullptr || !child->spec) continue;
    const auto& spec = child->spec->spec;
    bool chosen = op.select == event::Select::prefix ? spec.id.starts_with(key) : spec.kind->tag == key;
    if (chosen) begin_stop(id, op, std::string(spec.id));
  }
  op.begun = op.next >= registry_.slot_end();
}

void Requests::begin_stops(std::uint32_t id, Op& op, std::size_t& budget) {
  if (op.select != event::Select::ids) return begin_stops_of(id, op, budget);
  for (; budget > 0 && op.next < op.ids.size(); --budget, ++op.next) {
    if (op.seen.insert(op.ids[op.next]).second) begin_stop(id, op, op.ids[op.next]);
  }
  op.begun = op.next == op.ids.size();
}

// -- values
// --------------------------------------------------------------------------------------------------------------

void Requests::change_value(Token token, const std::string& child_id,
                            const std::function<SpecValue(const SpecValue&)>& edit) {
  auto* child = registry_.winner(child_id);
  if (child == nullptr) {
    return ctx_.emit(
        effect::CompleteVoid{token, Error{ErrorCode::no_such_child, "no child '" + child_id + "'"}});
  }
  replication_.set_value(child->uid, edit(*child->value));
  auto id = open_op(Kind::change, token, std::chrono::seconds(10));
  ops_[id].begun = true;
  touched_.push_back(id);
}

void Requests::on(event::UpdateMetadata update) {
  change_value(update.token, update.id,
               [&](const SpecValue& v) { return v.noted_as(std::move(update.metadata), ctx_.self()); });
}

/// Where it shall go, or why it cannot.
Result<NodeId> Requests::move_target(const event::MigrateChild& migrate, const Child* child) const {
  if (child == nullptr) return {ErrorCode::no_such_child, "no child '" + migrate.id + "'"};
  if (child->value->failed) return {ErrorCode::invalid, "'" + migrate.id + "' is failed: restart it first"};
  if (child->op != 0) return {ErrorCode::invalid, "'" + migrate.id + "' is being started, stopped or moved"};
  return placement_.target(migrate.node, *child);
}

/// A wish that travels with the spec: the reconciler does the rest, on whichever node that is.
void Requests::on(event::MigrateChild migrate) {
  auto* child = registry_.winner(migrate.id);
  const auto target = move_target(migrate, child);
  if (!target) return ctx_.emit(effect::CompleteVoid{migrate.token, target.error()});
  auto id = open_op(Kind::move, migrate.token, migrate.timeout);
  auto& op = ops_[id];
  op.target = *target;
  op.begun = true;
  op.rechecked = 0;
  add_item(op, std::move(migrate.id)).uid = child->uid;
  op.index[child->uid] = 0;
  child->op = id;
  auto value = child->value->next(ctx_.self());
  value.placement = *target;
  replication_.set_value(child->uid, value);
  touched_.push_back(id);
}

/// Of one that does not run here.
void Requests::on(event::RestartChild restart) {
  const auto* child = registry_.winner(restart.id);
  if (child != nullptr && !child->value->failed) {
    const auto at = std::find_if(child->entries.begin(), child->entries.end(),
                                 [&](const Entry& e) { return e.listed() && membership_.is_up(e.node); });
    const auto where = at == child->entries.end() ? " does not run now, and is not failed"
                       : at->node == ctx_.self()  ? " starts or ends here just now"
                                                  : " runs on " + std::string(at->node.name());
    return ctx_.emit(
        effect::CompleteVoid{restart.token, Error{ErrorCode::moved, "'" + restart.id + "'" + where}});
  }
  change_value(restart.token, restart.id, [&](const SpecValue& v) {
    auto value = v.next(ctx_.self());
    value.failed = false;
    value.why.clear();
    return value;
  });
}

}  // namespace processhub::protocol
