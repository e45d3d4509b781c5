// The steps of Placement for children that run on several nodes: who takes which instance from whom, and
// which of them is active. Nobody waits for a co-owner: each owner starts an instance of its own. Rules:
// DESIGN §9.
#include <algorithm>

#include "core/protocol/mutation.hpp"
#include "core/protocol/placement.hpp"

namespace processhub::protocol {

/// Of those that have to let the child go and those that get it, both in order of name, the i-th gives to the
/// i-th. Rows stay until all owners run it, and who started meanwhile has the higher epoch: so a pair lasts
/// until all are done. No node: nobody gives to us.
NodeId Placement::giver(const Child& child) const {
  std::vector<NodeId> givers;
  std::vector<NodeId> takers;
  std::uint64_t before = 0;
  for (const auto& e : child.entries) {
    if (is_owner(child, e.node) || !membership_.is_up(e.node)) continue;
    givers.push_back(e.node);
    before = std::max(before, e.epoch);
  }
  for (const auto owner : child.owners) {
    const auto* e = child.entry_of(owner);
    if (e == nullptr || !e->listed() || e->epoch > before) takers.push_back(owner);
  }
  std::sort(givers.begin(), givers.end());
  std::sort(takers.begin(), takers.end());
  const auto at = std::find(takers.begin(), takers.end(), ctx_.self()) - takers.begin();
  return static_cast<std::size_t>(at) < givers.size() ? givers[static_cast<std::size_t>(at)] : NodeId();
}

/// Nobody has to let it go before this node starts it.
bool Placement::may_take(const Child& child) const {
  if (!replicated_) {
    const auto* other = other_lister(child);
    return other == nullptr || handover_.holds(child.uid, other->node);
  }
  const auto from = giver(child);
  return !from || !child.entry_of(from)->listed() || handover_.holds(child.uid, from);
}

bool Placement::all_owners_run(const Child& child) const {
  return std::all_of(child.owners.begin(), child.owners.end(), [&](NodeId owner) {
    const auto* e = child.entry_of(owner);
    return e != nullptr && e->state == InstanceState::running;
  });
}

/// An instance here, which was to go to an owner, is one more than there have to be.
bool Placement::is_surplus(const Child& child) const {
  const auto* local = supervisor_.find(child.uid);
  if (!replicated_ || local == nullptr || is_owner(child, ctx_.self())) return false;
  const bool second_active = strategies_.redundancy->one_active() && local->role == Role::active;
  return all_owners_run(child) || (second_active && active_elsewhere(child));
}

bool Placement::may_stay(const Uid& uid) const {
  const auto* child = registry_.find(uid);
  return child == nullptr || !is_surplus(*child);
}

bool Placement::runs_elsewhere(const Child& child) const {
  return std::any_of(child.entries.begin(), child.entries.end(), [&](const Entry& e) {
    return e.node != ctx_.self() && e.state == InstanceState::running && membership_.is_up(e.node);
  });
}

bool Placement::active_elsewhere(const Child& child) const {
  return std::any_of(child.entries.begin(), child.entries.end(), [&](const Entry& e) {
    return e.node != ctx_.self() && e.listed() && e.role == Role::active && membership_.is_up(e.node);
  });
}

/// The role of `node` if these are the owners.
Role Placement::role_among(const Child& child, NodeId node, const SmallVector<NodeId, 2>& owners) const {
  return strategies_.redundancy->role_of(node, key_of(child),
                                         std::vector<NodeId>(owners.begin(), owners.end()));
}

/// What a new instance starts as. Beside an active one it waits as passive until that one has stepped back.
Role Placement::start_role(const Child& child, const SmallVector<NodeId, 2>& owners) const {
  const auto role = role_among(child, ctx_.self(), owners);
  const bool waits =
      replicated_ && role == Role::active && strategies_.redundancy->one_active() && active_elsewhere(child);
  return waits ? Role::passive : role;
}

void Placement::evaluate_missing_replica(Child& child) {
  const auto from = giver(child);
  if (from && child.entry_of(from)->listed() && !handover_.holds(child.uid, from))
    return ask_for(child, from);
  if (first_unresolved(child)) return wait(child);
  if (other_lister(child) == nullptr && temporary_lost(child))
    return gone_for_good(child) ? events_.remove_child(child) : wait(child);
  if (!mutated(Mutation::never_takes_over)) take_over(child);
}

/// It runs here. A former owner goes on until the new one it is paired with asks for it; what nobody asks for
/// ends when all owners have theirs.
void Placement::evaluate_replica(Child& child, LocalChild& local) {
  if (!is_owner(child, ctx_.self())) {
    if (!all_owners_run(child)) return;
    if (!settled()) return wait(child);
    ctx_.note(LogPart::moves, LogLevel::info, "stopped, its owners run it", child.spec->spec.id);
    return supervisor_.stop(child.uid, StopReason::move);
  }
  if (local.state != LocalState::running || local.demoting || reserving_.contains(child.uid)) return;
  const auto wanted = role_among(child, ctx_.self(), child.owners);
  if (wanted == local.role) return;
  if (!settled()) return wait(child);
  if (wanted == Role::active) {
    if (active_elsewhere(child) && !mutated(Mutation::promotes_without_demotion)) return;
    if (first_unresolved(child)) return wait(child);
    return take_over(child);
  }
  // Not before the other one is there.
  const bool successor = std::any_of(child.owners.begin(), child.owners.end(), [&](NodeId owner) {
    const auto* e = child.entry_of(owner);
    return e != nullptr && e->state == InstanceState::running &&
           role_among(child, owner, child.owners) == Role::active;
  });
  if (successor) supervisor_.demote(local);
}

/// The world may have changed since its epoch was reserved.
bool Placement::may_promote(const Child& child, std::uint64_t epoch) {
  const auto* local = supervisor_.find(child.uid);
  return replicated_ && local != nullptr && local->state == LocalState::running &&
         local->role == Role::passive && is_owner(child, ctx_.self()) && child.highest_epoch() <= epoch &&
         role_among(child, ctx_.self(), child.owners) == Role::active &&
         (!active_elsewhere(child) || mutated(Mutation::promotes_without_demotion));
}

}  // namespace processhub::protocol
