// Placement with a distribution that goes by load: where new children go, what is written down of that, and
// the moves that nobody's death is the reason of.
#include <algorithm>
#include <iterator>
#include <utility>

#include "core/hash.hpp"
#include "core/protocol/placement.hpp"

namespace processhub::protocol {

std::vector<NodeId> Placement::owners_for(const ChildSpec& spec) {
  std::vector<NodeId> out;
  const ChildKey key{spec.id, hash64(spec.id), {}, spec.nodes};
  if (!balancer_.on()) {
    find_owners(key, spec, out);
    return out;
  }
  find_able(key, spec, out);
  balancer_.rank(out, replicas_ > 1 && zones_.matters() ? out.size() : replicas_);
  zones_.choose(out, replicas_);
  for (const auto node : out) balancer_.give(node);
  return out;
}

void Placement::count(Child& child, bool counted) {
  if (!balancer_.on() || child.counted == counted) return;
  child.counted = counted;
  for (const auto owner : child.owners) balancer_.owned(owner, counted ? 1 : -1);
}

/// An owner that nobody has chosen, because those that were are gone, stays from now on: its first owner
/// writes it down behind them, so that they have the child again if it was only a cut.
void Placement::write_down(Child& child) {
  if (child.owners.empty() || child.owners[0] != ctx_.self() || child.value->failed) return;
  const auto placed = child.placed();
  const auto is_known = [&](NodeId owner) {
    return owner == child.value->placement || std::find(placed.begin(), placed.end(), owner) != placed.end();
  };
  if (std::all_of(child.owners.begin(), child.owners.end(), is_known)) return;
  if (!settled() || !all_owners_run(child)) return wait(child);
  std::vector<NodeId> nodes;
  std::copy_if(placed.begin(), placed.end(), std::back_inserter(nodes),
               [&](NodeId node) { return !membership_.has_left(node); });
  for (const auto owner : child.owners)
    if (!is_known(owner)) nodes.push_back(owner);
  replication_.set_value(child.uid, child.value->placed_at(std::move(nodes), ctx_.self()));
}

void Placement::rebalance() {
  if (frozen_) return;
  if (!active_ || !settled()) return;
  std::vector<NodeLoad> loads;
  for (const auto& m : view_.members)
    loads.push_back({m.id, m.weight, balancer_.busy(m.id), balancer_.children(m.id)});
  for (const auto& one : balancer_.rules().shifts(loads)) shift(one);
}

bool Placement::may_shift(const Child& child, const LoadShift& shift) const {
  if (!child.spec || child.op != 0 || child.loses || child.value->failed || child.value->placement)
    return false;
  const auto* entry = child.entry_of(shift.from);
  return is_owner(child, shift.from) && !is_owner(child, shift.to) && entry != nullptr &&
         entry->state == InstanceState::running && all_owners_run(child);
}

void Placement::shift(const LoadShift& shift) {
  auto left = shift.count;
  std::vector<NodeId> owners;
  for (Slot s = 0; s < registry_.slot_end() && left > 0; ++s) {
    auto* child = registry_.at(s);
    if (child == nullptr || !may_shift(*child, shift)) continue;
    // As it would be: roles, types and zones may not allow it.
    std::vector<NodeId> wanted(child->owners.begin(), child->owners.end());
    std::replace(wanted.begin(), wanted.end(), shift.from, shift.to);
    auto key = key_of(*child);
    key.placed = wanted;
    owners.clear();
    find_owners(key, *child->spec->spec.kind, owners);
    if (owners != wanted) continue;
    ctx_.note(LogPart::moves, LogLevel::info, "goes to " + shift.to.str() + ", which has more room",
              child->spec->spec.id);
    replication_.set_value(child->uid, child->value->placed_at(std::move(wanted), ctx_.self()));
    --left;
  }
}

}  // namespace processhub::protocol
