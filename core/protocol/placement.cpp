#include "core/protocol/placement.hpp"

#include <algorithm>
#include <utility>

#include "core/hash.hpp"
#include "core/protocol/mutation.hpp"

namespace processhub::protocol {

namespace {
constexpr Duration kRetry = std::chrono::milliseconds(100);
constexpr Duration kLookPause = std::chrono::milliseconds(20);
}  // namespace

ChildKey key_of(const Child& child) {
  const auto& spec = child.spec->spec;
  return {spec.id, spec.id_hash, child.value->placement, spec.kind->nodes, child.placed()};
}

Placement::Placement(Context& context, Registry& registry, Links& links, Membership& membership,
                     Replication& replication, Supervisor& supervisor, const Quorum& quorum,
                     Handover& handover, Balancer& balancer, StrategySet& strategies, PlacementEvents& events)
    : ctx_(context),
      registry_(registry),
      links_(links),
      membership_(membership),
      replication_(replication),
      supervisor_(supervisor),
      quorum_(quorum),
      handover_(handover),
      balancer_(balancer),
      strategies_(strategies),
      events_(events) {
  strategies_.distribution->prepare(view_);
  supervisor_.tell_roles(strategies_.redundancy->signals());
}

bool Placement::has_role(NodeId node, const std::string& role) const {
  if (role.empty()) return true;
  const auto at = std::lower_bound(view_.members.begin(), view_.members.end(), node,
                                   [](const MemberView& m, NodeId id) { return m.id < id; });
  return at != view_.members.end() && at->id == node &&
         std::find(at->roles.begin(), at->roles.end(), role) != at->roles.end();
}

/// The distribution's choice among the nodes that have the worker type and the role; if nobody has, the child
/// waits.
void Placement::find_owners(const ChildKey& key, const ChildSpec& kind, std::vector<NodeId>& out) const {
  const bool spread = replicas_ > 1 && zones_.matters();
  if (alike_ && kind.requires_role.empty() && !spread) {
    if (!offers_.nobody_has(hash64(kind.type))) strategies_.distribution->owners(key, replicas_, out);
    return;
  }
  find_able(key, kind, out);
  zones_.choose(out, replicas_);
}

/// All that have the worker type and the role, as the distribution ranks them.
void Placement::find_able(const ChildKey& key, const ChildSpec& kind, std::vector<NodeId>& out) const {
  const auto hash = hash64(kind.type);
  if (offers_.nobody_has(hash)) return;
  strategies_.distribution->owners(key, view_.members.size(), out);
  if (alike_ && kind.requires_role.empty()) return;
  std::erase_if(out,
                [&](NodeId node) { return !offers_.has(node, hash) || !has_role(node, kind.requires_role); });
}

/// A node that is named must be able to run it, too: the child would wait there for ever.
Result<void> Placement::check(const ChildSpec& spec) const {
  auto good = strategies_.distribution->check(spec, replicas_, view_);
  if (!good || spec.nodes.empty()) return good;
  for (const auto& member : view_.members) {
    if (std::find(spec.nodes.begin(), spec.nodes.end(), member.id.name()) == spec.nodes.end()) continue;
    if (const auto why = unable(member.id, spec); !why.empty())
      return {ErrorCode::invalid,
              "child '" + spec.id + "': nodes: '" + std::string(member.id.name()) + "' " + why};
  }
  return {};
}

std::string Placement::nobody_has(const ChildSpec& spec) const {
  const auto type = hash64(spec.type);
  const auto& role = spec.requires_role;
  if (offers_.nobody_has(type)) return "no node has the worker type '" + spec.type + "'";
  const bool anywhere = std::any_of(view_.members.begin(), view_.members.end(),
                                    [&](const MemberView& m) { return has_role(m.id, role); });
  if (!anywhere) return "no node has the role '" + role + "'";
  const auto type_name = "the worker type '" + spec.type + "'";
  if (role.empty()) return "no node that may run it has " + type_name;
  return "no node that may run it has both " + type_name + " and the role '" + role + "'";
}

Result<NodeId> Placement::target(std::string_view name, const Child& child) const {
  const auto& spec = child.spec->spec;
  const auto node = "node '" + std::string(name) + "'";
  const auto member = std::find_if(view_.members.begin(), view_.members.end(),
                                   [&](const MemberView& m) { return m.id.name() == name; });
  if (member == view_.members.end())
    return {ErrorCode::invalid, "no " + node + " may own children; there are: " + names_of(view_)};
  std::vector<NodeId> owners;
  auto key = key_of(child);
  key.explicit_node = member->id;
  find_owners(key, *spec.kind, owners);
  if (!owners.empty() && owners.front() == member->id) return member->id;
  if (const auto why = unable(member->id, *spec.kind); !why.empty())
    return {ErrorCode::invalid, node + " " + why};
  return {ErrorCode::invalid, "the distribution '" + std::string(strategies_.distribution->name()) +
                                  "' does not put '" + spec.id + "' on " + node};
}

// -- the view and the queue
// --------------------------------------------------------------------------------------------

void Placement::on_view_changed() {
  view_changed_ = true;
  cursor_ = 0;
  if (std::exchange(recomputing_, true)) return;
  events_.on_redistribution_begin();
}

/// In gossip mode a burst of changes is looked at at its begin, then a few at a time: when a large cluster
/// boots or heals, its members come one by one, and nothing moves before all agree.
bool Placement::look() {
  if (!view_changed_ || (ctx_.gossips() && ctx_.now < look_due_)) return false;
  view_changed_ = false;
  look_due_ = ctx_.now + kLookPause;
  auto view = membership_.eligible_view();
  note_newcomers(view);
  view_ = std::move(view);
  offers_ = membership_.offers(view_);
  const bool were_alike = std::exchange(alike_, offers_.alike());
  only_members_changed_ = only_members_changed_ && were_alike && alike_;
  strategies_.distribution->prepare(view_);
  balancer_.on_view_changed(view_);
  zones_.prepare(view_);
  replicas_ = std::max<std::size_t>(1, strategies_.redundancy->replicas(view_));
  replicated_ = replicas_ > 1 || !strategies_.redundancy->singleton();
  handover_.set_one_instance(!replicated_);
  only_members_changed_ = only_members_changed_ && !replicated_;
  return true;
}

void Placement::note_newcomers(const HubView& view) {
  HashSet<NodeId, NodeIdHash> members;
  for (const auto& member : view.members) {
    members.insert(member.id);
    if (!in_view_.contains(member.id)) newcomers_.push_back(member.id);
  }
  in_view_ = std::move(members);
}

/// Its owner is compared with those who came since, not with all.
bool Placement::owner_stays(const Child& child) const {
  return only_members_changed_ && child.owners.size() == 1 && in_view_.contains(child.owners[0]) &&
         child.spec->spec.kind->requires_role.empty() &&
         strategies_.distribution->keeps(key_of(child), child.owners[0], newcomers_);
}

void Placement::recompute(Child& child) {
  const bool placed_anew = child.placed_anew;
  child.placed_anew = false;
  if (!child.spec || (!placed_anew && owner_stays(child))) return;
  scratch_.clear();
  find_owners(key_of(child), *child.spec->spec.kind, scratch_);
  bool same = child.owners.size() == scratch_.size() &&
              std::equal(scratch_.begin(), scratch_.end(), child.owners.begin());
  if (same) return;
  count(child, false);
  child.owners.assign(scratch_.begin(), scratch_.end());
  count(child, true);
  enqueue(child);
}

void Placement::finish_recompute() {
  recomputing_ = false;
  newcomers_.clear();
  only_members_changed_ = true;
  events_.on_redistribution_end();
  recheck();
}

void Placement::on_spec_added(Child& child) {
  recompute(child);
  enqueue(child);
}

void Placement::enqueue(Child& child) {
  if (!child.spec) count(child, false);
  if (child.placed_anew) recompute(child);
  if (child.queued) return;
  child.queued = true;
  queue_.push_back(child.slot);
}

void Placement::wait(Child& child) {
  if (!child.waiting) waiting_.push_back(child.uid);
  child.waiting = true;
  if (retry_due_ == kNever) retry_due_ = ctx_.now + kRetry;
}

void Placement::recheck() {
  auto uids = std::move(waiting_);
  waiting_.clear();
  for (const auto& uid : uids) {
    auto* child = registry_.find(uid);
    if (child == nullptr) continue;
    child->waiting = false;
    enqueue(*child);
  }
}

void Placement::set_active(bool active) {
  active_ = active;
  handover_.set_active(active);
  if (active) recheck();
}

void Placement::freeze(bool frozen) {
  frozen_ = frozen;
  if (!frozen) recheck();
}

bool Placement::is_held(const Child& child, const Entry* other) const {
  if (!frozen_ || child.value->placement == ctx_.self()) return false;
  if (other == nullptr) return true;
  const auto source = membership_.members().find(other->node);
  return source == membership_.members().end() || source->second.record.status != MemberStatus::leaving;
}

std::string Placement::why_waiting(const Child& child) const {
  if (!is_owner(child, ctx_.self()) || supervisor_.find(child.uid) != nullptr) return {};
  if (child.value->failed) return "it failed, and is not started until somebody says so";
  if (!active_) return "this node may run nothing now: no quorum, or it was away";
  if (!membership_.joined()) return "this node has not joined yet";
  if (!membership_.agreed()) return "the nodes do not agree yet on who is there";
  if (!settled()) return "what other nodes run is not known yet";
  const auto* other = other_lister(child);
  if (is_held(child, other)) return "redistribution is frozen";
  if (reserving_.contains(child.uid)) return "a generation is being reserved";
  if (other != nullptr) return "it is asked for from " + std::string(other->node.name());
  if (first_unresolved(child)) return "a node that was to start it has not said what became of it";
  return "its turn comes";
}

void Placement::reconsider_all() {
  for (Slot s = 0; s < registry_.slot_end(); ++s)
    if (auto* child = registry_.at(s)) enqueue(*child);
}

bool Placement::work(std::size_t budget) {
  if (recomputing_ && !view_changed_) {
    auto end = std::min<std::size_t>(registry_.slot_end(), cursor_ + budget * 4);
    for (; cursor_ < end; ++cursor_)
      if (auto* child = registry_.at(cursor_)) recompute(*child);
    if (cursor_ >= registry_.slot_end()) finish_recompute();
  }
  while (active_ && budget-- > 0 && !queue_.empty()) {
    auto* child = registry_.at(queue_.front());
    queue_.pop_front();
    if (child == nullptr || !child->queued) continue;
    child->queued = false;
    evaluate(*child);
  }
  return has_work();
}

void Placement::tick() {
  if (ctx_.now < retry_due_) return;
  retry_due_ = kNever;
  for (auto it = moves_.begin(); it != moves_.end();) {
    it = ctx_.now >= it->second.until || !membership_.is_up(it->second.from) ? moves_.erase(it)
                                                                             : std::next(it);
  }
  throttled_.clear();
  recheck();
  if (!moves_.empty() || !waiting_.empty()) retry_due_ = ctx_.now + kRetry;
}

Time Placement::next_deadline() const {
  if (has_work()) return Time::zero();
  return view_changed_ ? std::min(look_due_, retry_due_) : retry_due_;
}

bool Placement::settled() const {
  if (!membership_.joined() || recomputing_ || !membership_.agreed() || quorum_.must_wait()) return false;
  if (mutated(Mutation::starts_before_tables)) return true;
  const auto& members = membership_.members();
  return std::all_of(members.begin(), members.end(), [&](const auto& m) {
    return !Membership::is_up(m.second) || replication_.table_current(m.first);
  });
}

// -- one child
// ---------------------------------------------------------------------------------------------------------

bool Placement::is_owner(const Child& child, NodeId node) const {
  return std::find(child.owners.begin(), child.owners.end(), node) != child.owners.end();
}

/// True if the child lost against another live uid of its id and is removed here. Every node that knows both
/// decides alike.
bool Placement::resolve_conflict(Child& child) {
  auto* winner = registry_.winner(child.spec->spec.id);
  if (winner == nullptr || winner == &child || mutated(Mutation::loser_stays)) return false;
  ctx_.hook(hook::ChildConflict{child.spec->spec.id, winner->uid, child.uid});
  // Equal specs: several nodes declare it and had not met yet. Nobody's wish is lost.
  const bool equal = winner->spec->spec.kind == child.spec->spec.kind;
  ctx_.note(LogPart::moves, equal ? LogLevel::info : LogLevel::warn,
            equal ? "started by several nodes, the earliest start counts"
                  : "started twice with different specs, the earliest start counts",
            child.spec->spec.id);
  registry_.remove_spec(child.uid);
  return true;
}

void Placement::evaluate(Child& child) {
  auto* local = supervisor_.find(child.uid);
  if (!child.spec) {
    moves_.erase(child.uid);
    if (local != nullptr) {
      supervisor_.stop(child.uid, StopReason::user);
    } else if (const auto* own = child.entry_of(ctx_.self()); own != nullptr) {
      TableRow gone;
      gone.uid = child.uid;
      gone.state = InstanceState::released;
      replication_.set_row(gone);
    }
    return;
  }
  if (resolve_conflict(child)) return;
  if (balancer_.on()) write_down(child);
  if (local != nullptr) return evaluate_running(child, *local);
  if (is_owner(child, ctx_.self())) return evaluate_missing(child);
  handover_.decline(child.uid);
  evaluate_foreign(child);
}

/// The instance on another living node that counts, if any: the highest generation.
const Entry* Placement::other_lister(const Child& child) const {
  const Entry* best = nullptr;
  for (const auto& e : child.entries) {
    if (e.node == ctx_.self() || !e.listed() || !membership_.is_up(e.node)) continue;
    if (best == nullptr || best->generation() < e.generation()) best = &e;
  }
  return best;
}

void Placement::evaluate_running(Child& child, LocalChild& local) {
  if (local.state == LocalState::prepared) return evaluate_prepared(child, local);
  moves_.erase(child.uid);
  if (local.state == LocalState::stopping) return;
  if (local.state == LocalState::frozen) return evaluate_frozen(child);
  if (const auto* other = beaten_by(child)) {
    if (handover_.merge_into(local, other->node)) return;
    ctx_.note(LogPart::moves, LogLevel::warn,
              "stopped, " + other->node.str() + " runs it with a higher generation", child.spec->spec.id);
    return supervisor_.stop(child.uid, StopReason::conflict);
  }
  if (is_outlived(child, local)) {
    ctx_.note(LogPart::moves, LogLevel::warn, "stopped, it has run elsewhere since", child.spec->spec.id);
    return supervisor_.stop(child.uid, StopReason::conflict);
  }
  if (child.value->failed != (local.state == LocalState::failed)) {
    // `failed` was cleared by hand, or set by the node that ran it before us.
    if (local.state == LocalState::failed && !local.crashes) {
      // Its request decides. If it runs elsewhere, that has ended or will end well: try again here.
      if (replicated_ && runs_elsewhere(child)) supervisor_.stop(child.uid, StopReason::crash);
      return;
    }
    if (local.state != LocalState::starting) supervisor_.stop(child.uid, StopReason::crash);
    return;
  }
  // There is nothing to hand over: its owner shows it as failed from now on.
  if (local.state == LocalState::failed && !child.owners.empty() && !is_owner(child, ctx_.self()))
    return supervisor_.stop(child.uid, StopReason::move);
  if (replicated_ && !child.owners.empty()) return evaluate_replica(child, local);
  // Nobody left to give it to: every node leaves. Otherwise the new owner asks for it.
  if (!child.owners.empty() || membership_.status() != MemberStatus::leaving || keeps_without_heir_) return;
  if (membership_.newcomer_expected()) return wait(child);  // it may own the child in a moment
  ctx_.note(LogPart::moves, LogLevel::warn, "stopped, no member is left to hand it to", child.spec->spec.id);
  supervisor_.stop(child.uid, StopReason::shutdown);
}

/// A first node that has neither listed nor released the child counts as running it.
bool Placement::first_unresolved(const Child& child) const {
  if (child.highest_epoch() >= 2) return false;  // somebody has settled it before, or could not have gone on
  return std::any_of(child.spec->first.begin(), child.spec->first.end(), [&](NodeId f) {
    return f != ctx_.self() && membership_.is_up(f) && child.entry_of(f) == nullptr;
  });
}

/// A temporary child is only started again where a node let it go for a move, which may have left since.
bool Placement::temporary_lost(const Child& child) const {
  if (child.spec->spec.kind->restart != Restart::temporary) return false;
  // Not highest_epoch(): a reservation that came to nothing is no run.
  std::uint64_t last_run = 0;
  for (const auto& e : child.entries) last_run = std::max(last_run, e.epoch);
  return std::none_of(child.entries.begin(), child.entries.end(),
                      [&](const Entry& e) { return !e.listed() && e.epoch == last_run; });
}

/// No life of a node that ran it can come back.
bool Placement::gone_for_good(const Child& child) const {
  const auto& first = child.spec->first;
  return std::all_of(child.entries.begin(), child.entries.end(),
                     [&](const Entry& e) { return membership_.has_left(e.node); }) &&
         std::all_of(first.begin(), first.end(), [&](NodeId f) { return membership_.has_left(f); });
}

void Placement::evaluate_missing(Child& child) {
  if (reserving_.contains(child.uid) || !membership_.joined()) return wait(child);
  const auto* own = child.entry_of(ctx_.self());
  if (child.value->failed) {
    if (own == nullptr || own->state != InstanceState::failed) {
      replication_.set_row({child.uid, child.highest_epoch(), 0, Role::none, InstanceState::failed, 0});
    }
    return;
  }
  const auto& first = child.spec->first;
  bool mine_first = std::find(first.begin(), first.end(), ctx_.self()) != first.end();
  bool unseen = own == nullptr && child.highest_epoch() <= 1 &&
                (replicated_ || other_lister(child) == nullptr);  // its co-owners are first nodes, too
  if (mine_first && unseen) {
    // Told of it late: others may have waited in vain and gone on without us.
    if (child.pulled && !settled()) return wait(child);
    supervisor_.start(child, 1, start_role(child, first), StartReason::first, true);
    return;
  }
  if (!settled() || is_held(child, other_lister(child))) return wait(child);
  if (replicated_) return evaluate_missing_replica(child);
  const auto* other = mutated(Mutation::starts_without_release) ? nullptr : other_lister(child);
  if (other != nullptr && !handover_.holds(child.uid, other->node)) return ask_for(child, other->node);
  if (first_unresolved(child)) return wait(child);
  if (other == nullptr && temporary_lost(child))
    return gone_for_good(child) ? events_.remove_child(child) : wait(child);
  if (!mutated(Mutation::never_takes_over)) take_over(child);
}

void Placement::evaluate_foreign(Child& child) {
  const auto* own = child.entry_of(ctx_.self());
  const auto& first = child.spec->first;
  bool mine_first = std::find(first.begin(), first.end(), ctx_.self()) != first.end();
  if (own == nullptr) {
    if (mine_first && (first.size() > 1 ? child.highest_epoch() <= 1 : other_lister(child) == nullptr)) {
      // Not ours any more: say so, or a new owner who knows of no later epoch would wait for us.
      if (!child.owners.empty()) news_.forwarded(child.spec->spec.id, child.owners[0]);
      replication_.set_row({child.uid, 1, 0, Role::none, InstanceState::released, 0});
    }
    return;
  }
  const auto* other = other_lister(child);
  bool obsolete = other != nullptr && own->generation() < other->generation() &&
                  (first.size() <= 1 || child.highest_epoch() > 1) && (!replicated_ || all_owners_run(child));
  if (own->state != InstanceState::released) {
    // A row without a worker (failed): its new owner shows it from now on.
    replication_.set_row({child.uid, own->epoch, own->restarts, Role::none, InstanceState::released, 0});
  } else if (obsolete && other->state == InstanceState::running) {
    TableRow gone;
    gone.uid = child.uid;
    gone.state = InstanceState::released;
    replication_.set_row(gone);
  }
}

}  // namespace processhub::protocol
