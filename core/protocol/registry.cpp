#include "core/protocol/registry.hpp"

#include <algorithm>

#include "core/hash.hpp"
#include "core/protocol/mutation.hpp"

namespace processhub::protocol {

namespace {

std::uint64_t row_hash(const Uid& uid, const Entry& e) {
  std::uint64_t x = uid.hash() ^ (e.epoch * 0x9E3779B97F4A7C15ULL) ^ (e.node.hash() + e.restarts);
  x = (x ^ (x >> 31)) * 0xBF58476D1CE4E5B9ULL;
  x ^= e.serial * 0x94D049BB133111EBULL +
       (static_cast<std::uint64_t>(e.role) << 8 | static_cast<std::uint64_t>(e.state));
  return (x ^ (x >> 27)) * 0xD6E8FEB86659FD93ULL;
}

/// The share of a child with a spec in the spec digest.
std::uint64_t spec_hash(const Child& child) {
  auto x = child.uid.hash() * 0x94D049BB133111EBULL;
  if (child.value->version > 0)
    x ^= (child.value->version ^ child.value->writer.hash()) * 0x9E3779B97F4A7C15ULL;
  if (const auto& noted = child.value->noted; noted.version > 0)
    x += (noted.version ^ noted.writer.hash()) * 0xA0761D6478BD642FULL;
  if (const auto& placed = child.value->placed; placed.version > 0)
    x += (placed.version ^ placed.writer.hash()) * 0xD6E8FEB86659FD93ULL;
  return x ^ (x >> 29);
}

Entry* entry_in(Child& child, NodeId node) {
  for (auto& e : child.entries)
    if (e.node == node) return &e;
  return nullptr;
}

}  // namespace

bool wins_over(const Uid& a, const Uid& b) {
  if (a.origin.incarnation() != b.origin.incarnation())
    return a.origin.incarnation() < b.origin.incarnation();
  return a < b;
}

const Entry* Child::entry_of(NodeId node) const {
  for (const auto& e : entries)
    if (e.node == node) return &e;
  return nullptr;
}

std::span<const NodeId> Child::placed() const {
  if (!value->placed.nodes.empty()) return value->placed.nodes;
  return spec ? std::span<const NodeId>(spec->first.begin(), spec->first.end()) : std::span<const NodeId>();
}

std::uint64_t Child::highest_epoch() const {
  auto highest = epoch_floor;
  for (const auto& e : entries) highest = std::max(highest, e.epoch);
  return highest;
}

Child* Registry::find(const Uid& uid) {
  const auto slot = by_uid_.find(uid);
  return slot == kNoSlot ? nullptr : &slots_[slot];
}

Child* Registry::winner(std::string_view id) {
  const auto slot = by_id_.find(id);
  return slot == kNoSlot ? nullptr : &slots_[slot];
}

SmallVector<Slot, 2> Registry::all_of(std::string_view id) const {
  SmallVector<Slot, 2> out;
  for (auto slot = by_id_.find(id); slot != kNoSlot; slot = slots_[slot].loser) out.push_back(slot);
  return out;
}

Child& Registry::slot_for(const Uid& uid) {
  if (auto* known = find(uid)) return *known;
  const auto slot = slots_.take();
  auto& child = slots_[slot];
  child.slot = slot;
  child.uid = uid;
  by_uid_.insert(slot);
  return child;
}

void Registry::release_if_empty(Child& child) {
  if (child.spec || !child.entries.empty() || child.op != 0) return;
  by_uid_.erase(child.slot);
  slots_.give_back(child.slot);
}

/// The live children of one id form a list, the winner first; only the winner is in the index.
void Registry::index_id(Child& child) {
  auto next = by_id_.find(child.spec->spec.id);
  Slot before = kNoSlot;
  while (next != kNoSlot && !wins_over(child.uid, slots_[next].uid))
    before = std::exchange(next, slots_[next].loser);
  child.loser = next;
  child.loses = before != kNoSlot;
  if (child.loses) {
    slots_[before].loser = child.slot;
    return;
  }
  if (next != kNoSlot) {
    slots_[next].loses = true;
    by_id_.erase(next);
  }
  by_id_.insert(child.slot);
}

void Registry::unindex_id(Child& child) {
  const auto next = std::exchange(child.loser, kNoSlot);
  if (!child.loses) {
    by_id_.erase(child.slot);
    if (next == kNoSlot) return;
    slots_[next].loses = false;
    by_id_.insert(next);
    return;
  }
  child.loses = false;
  auto before = by_id_.find(child.spec->spec.id);
  while (slots_[before].loser != child.slot) before = slots_[before].loser;
  slots_[before].loser = next;
}

bool Registry::add_spec(std::shared_ptr<const SpecRecord> spec) {
  const bool forgotten = mutated(Mutation::forgets_removed_starts) && find(spec->uid) == nullptr;
  if (!seen_.add(spec->uid) && !forgotten) {
    if (auto* known = find(spec->uid)) known->epoch_floor = std::max(known->epoch_floor, spec->epoch_floor);
    return false;
  }
  auto& child = slot_for(spec->uid);
  child.epoch_floor = std::max(child.epoch_floor, spec->epoch_floor);
  child.spec = std::move(spec);
  ++live_;
  spec_sum_ += spec_hash(child);
  index_id(child);
  inserted_.push_back(child.spec->spec.id);
  touch(child);
  if (child.loses || child.loser != kNoSlot) {
    for (auto slot : all_of(child.spec->spec.id))
      if (slot != child.slot) listener_->on_child_changed(slots_[slot]);
  }
  return true;
}

void Registry::remove_spec(const Uid& uid) {
  seen_.add(uid);
  auto* child = find(uid);
  if (child == nullptr) return;
  if (child->spec) {
    touch(*child);
    gone_ids_.push_back(child->spec->spec.id);
    removed_.push_back(child->spec->spec.id);
    unindex_id(*child);
    spec_sum_ -= spec_hash(*child);
    child->spec.reset();
    --live_;
  }
  listener_->on_child_changed(*child);
  release_if_empty(*child);
}

bool Registry::merge_value(const Uid& uid, const SpecValue& value) {
  auto* child = find(uid);
  if (child == nullptr || !child->spec) return false;
  const auto newer = [](const auto& a, const auto& b) {
    return std::pair(a.version, a.writer) > std::pair(b.version, b.writer);
  };
  const auto& known = *child->value;
  const bool changed = newer(value, known);
  const bool noted = newer(value.noted, known.noted);
  const bool placed = newer(value.placed, known.placed);
  if (!changed && !noted && !placed) return false;
  auto merged = changed ? value : known;
  merged.noted = noted ? value.noted : known.noted;
  merged.placed = placed ? value.placed : known.placed;
  spec_sum_ -= spec_hash(*child);
  child->placed_anew = child->placed_anew || placed || merged.placement != known.placement;
  child->value = std::move(merged);
  spec_sum_ += spec_hash(*child);
  touch(*child);
  return true;
}

std::vector<LiveDots> Registry::live_dots() const {
  std::map<NodeId, std::vector<std::uint64_t>> counters;
  for (Slot s = 0; s < slots_.end(); ++s)
    if (const auto& c = slots_[s]; c.slot != kNoSlot && c.spec)
      counters[c.uid.origin].push_back(c.uid.counter);
  std::vector<LiveDots> out;
  for (auto& [origin, list] : counters) {
    std::sort(list.begin(), list.end());
    LiveDots dots{origin, {}};
    for (auto c : list) {
      if (!dots.ranges.empty() && dots.ranges.back() + 1 == c) {
        dots.ranges.back() = c;
      } else {
        dots.ranges.insert(dots.ranges.end(), {c, c});
      }
    }
    out.push_back(std::move(dots));
  }
  return out;
}

Table& Registry::table(NodeId node) {
  if (recent_table_.second == nullptr || recent_table_.first != node) recent_table_ = {node, &tables_[node]};
  return *recent_table_.second;
}

/// Everybody asks a living node for what its own table got since they last heard. Others are only asked for
/// what the last words of a dead one were, and give its whole table to those who lack more.
std::size_t Registry::log_length(const Table& table, bool own) {
  return own ? 2 * table.listed + 1024 : table.listed / 8 + 8;
}

void Registry::put_row(NodeId node, const TableRow& row, std::uint64_t version) {
  auto& table = this->table(node);
  bool erase = row.state == InstanceState::released && row.epoch == 0;
  auto* child = erase ? find(row.uid) : &slot_for(row.uid);
  table.log.push_back({version, row.uid});
  while (table.log.size() > log_length(table, node == self_)) {
    table.log_from = table.log.front().first;
    table.log.pop_front();
  }
  if (child == nullptr) return;
  auto* entry = entry_in(*child, node);
  if (entry != nullptr) {
    table.digest -= row_hash(child->uid, *entry);
    table.listed -= entry->listed() ? 1 : 0;
  }
  if (erase) {
    if (entry != nullptr) child->entries.erase(child->entries.begin() + (entry - child->entries.data()));
    table.rows.erase(child->slot);
  } else {
    if (entry == nullptr) {
      entry = &child->entries.emplace_back();
      table.rows.insert(child->slot);
    }
    *entry = {node, row.epoch, row.serial, row.restarts, row.role, row.state};
    child->epoch_floor = std::max(child->epoch_floor, row.epoch);  // outlives the row
    table.digest += row_hash(child->uid, *entry);
    table.listed += entry->listed() ? 1 : 0;
  }
  touch(*child);
  release_if_empty(*child);
}

TableRow Registry::row(NodeId node, const Uid& uid) {
  TableRow out;
  out.uid = uid;
  out.state = InstanceState::released;
  if (auto* child = find(uid)) {
    if (const auto* e = child->entry_of(node))
      return {uid, e->epoch, e->restarts, e->role, e->state, e->serial};
  }
  return out;
}

std::vector<Uid> Registry::rows_of(NodeId node) const {
  std::vector<Uid> uids;
  const auto it = tables_.find(node);
  if (it == tables_.end()) return uids;
  uids.reserve(it->second.rows.size());
  for (auto slot : it->second.rows) uids.push_back(slots_[slot].uid);
  return uids;
}

void Registry::touch_rows(NodeId node) {
  const auto it = tables_.find(node);
  if (it == tables_.end()) return;
  for (auto slot : it->second.rows) touch(slots_[slot]);
}

void Registry::drop_table(NodeId node) {
  const auto it = tables_.find(node);
  if (it == tables_.end()) return;
  const auto rows = std::move(it->second.rows);
  tables_.erase(it);
  recent_table_ = {};
  for (auto slot : rows) {
    auto& child = slots_[slot];
    child.entries.erase(child.entries.begin() + (entry_in(child, node) - child.entries.data()));
    touch(child);
    release_if_empty(child);
  }
}

bool Registry::rows_since(NodeId node, std::uint64_t since, std::vector<Uid>& out) const {
  auto it = tables_.find(node);
  if (it == tables_.end()) return true;
  const auto& t = it->second;
  if (since >= t.version) return true;
  if (since < t.log_from) return false;
  auto from = std::upper_bound(t.log.begin(), t.log.end(), since,
                               [](std::uint64_t v, const auto& row) { return v < row.first; });
  for (; from != t.log.end(); ++from) out.push_back(from->second);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return true;
}

void Registry::touch(Child& child) {
  if (child.spec && !child.changed) {
    child.changed = true;
    changed_.push_back(child.slot);
  }
  listener_->on_child_changed(child);
}

ChildRecord Registry::record_of(const Child& child, const std::function<bool(NodeId)>& is_up) const {
  ChildRecord record;
  record.spec = std::shared_ptr<const SharedSpec>(child.spec, &child.spec->spec);
  record.uid = child.uid;
  const auto& value = *child.value;
  const auto& metadata = value.noted.metadata;
  if (metadata || value.failed || value.placement || tells_places_) {
    const auto placed = tells_places_ ? child.placed() : std::span<const NodeId>();
    record.changes = std::make_shared<ChildChanges>(
        ChildChanges{metadata, value.failed ? value.why : std::string(), value.placement,
                     std::vector<NodeId>(placed.begin(), placed.end())});
  }
  for (const auto& e : child.entries) {
    if (!e.listed() || !is_up(e.node)) continue;
    record.instances.push_back({{e.node, e.serial}, e.role, e.state, e.generation()});
  }
  std::sort(record.instances.begin(), record.instances.end(),
            [](const Instance& a, const Instance& b) { return b.generation < a.generation; });
  return record;
}

std::vector<RegistryChange> Registry::take_changes(const std::function<bool(NodeId)>& is_up) {
  std::vector<RegistryChange> out;
  out.reserve(changed_.size() + gone_ids_.size());
  const auto tell = [&](Child& winner) {
    for (auto slot = winner.slot; slot != kNoSlot; slot = slots_[slot].loser) slots_[slot].changed = false;
    out.push_back({winner.spec->spec.id, record_of(winner, is_up)});
  };
  for (auto slot : std::exchange(changed_, {})) {
    auto& child = slots_[slot];
    if (child.changed && child.spec) tell(child.loses ? *winner(child.spec->spec.id) : child);
  }
  for (auto& id : std::exchange(gone_ids_, {})) {
    if (auto* next = winner(id)) {
      tell(*next);
    } else {
      out.push_back({std::move(id), std::nullopt});
    }
  }
  return out;
}

}  // namespace processhub::protocol
