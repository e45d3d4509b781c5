// Registry: specs joined with tables, the data every other part looks at. It stores and indexes facts, keeps
// their digests, and remembers which ids changed; it decides nothing. Children sit in numbered slots:
// iteration goes by slot, never by hash.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/protocol/containers.hpp"
#include "core/protocol/hub_core.hpp"
#include "core/protocol/messages.hpp"
#include "core/protocol/seen_set.hpp"

namespace processhub::protocol {

using Slot = std::uint32_t;
inline constexpr Slot kNoSlot = ~Slot{0};

/// What one node's table says of one child.
struct Entry {
  NodeId node{};
  std::uint64_t epoch = 0;
  std::uint64_t serial = 0;
  std::uint32_t restarts = 0;
  Role role = Role::none;
  InstanceState state = InstanceState::starting;

  bool listed() const { return state != InstanceState::released; }
  /// And neither moves nor ends.
  bool runs() const { return state == InstanceState::running || state == InstanceState::starting; }
  Generation generation() const { return {epoch, restarts, node}; }
};

/// Every node keeps one for each child of the cluster, so its size counts.
struct Child {
  Slot slot = kNoSlot;           ///< kNoSlot: free
  Slot loser = kNoSlot;          ///< the next live child of the same id, if the id was started more than once
  std::uint32_t op = 0;          ///< the open start or stop of this node that waits for it; 0: none
  bool pulled : 1 = false;       ///< learnt from a snapshot, not from the node that started it
  bool queued : 1 = false;       ///< in Placement's queue
  bool waiting : 1 = false;      ///< in Placement's list of what cannot be decided yet
  bool changed : 1 = false;      ///< in the list of registry changes
  bool loses : 1 = false;        ///< a live child of the same id wins over it
  bool counted : 1 = false;      ///< its owners are, as children that they have
  bool placed_anew : 1 = false;  ///< where somebody wants it has changed: its owners are to be found again
  Uid uid{};
  std::shared_ptr<const SpecRecord> spec{};  ///< null: removed, or its spec is still on the way
  Rare<SpecValue> value{};
  SmallVector<Entry, 1> entries{};
  SmallVector<NodeId, 2> owners{};  ///< under the current view, best first; kept by Placement
  std::uint64_t epoch_floor = 0;    ///< highest epoch heard of or reserved

  const Entry* entry_of(NodeId node) const;
  /// Where it was placed at first, or since, best first.
  std::span<const NodeId> placed() const;
  std::uint64_t highest_epoch() const;
};

/// The head of one node's table.
struct Table {
  std::uint64_t version = 0;
  std::uint64_t digest = 0;
  std::uint64_t listed = 0;
  CompactSet<Slot> rows{};                    ///< the children that have one
  Fifo<std::pair<std::uint64_t, Uid>> log{};  ///< changes by version, for "newer than v"
  std::uint64_t log_from = 0;                 ///< the log is complete after this version
};

class Registry {
 public:
  /// What other parts want to be told; called inside the mutators.
  struct Listener {
    virtual ~Listener() = default;
    virtual void on_child_changed(Child& child) = 0;
  };

  explicit Registry(Listener& listener, NodeId self = {}) : listener_(&listener), self_(self) {}
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // -- look-up
  Child* find(const Uid& uid);
  Child* at(Slot slot) {
    return slot < slots_.end() && slots_[slot].slot != kNoSlot ? &slots_[slot] : nullptr;
  }
  Slot slot_end() const { return slots_.end(); }
  /// The live uid that wins under this id; null if none.
  Child* winner(std::string_view id);
  /// All live children under an id, winner first.
  SmallVector<Slot, 2> all_of(std::string_view id) const;
  std::size_t live_count() const { return live_; }

  // -- specs
  const SeenSet& seen() const { return seen_; }
  void merge_seen(const std::vector<SeenDots>& seen) { seen_.merge(seen); }
  /// False if the uid was seen before (nothing changes then but the epoch floor).
  bool add_spec(std::shared_ptr<const SpecRecord> spec);
  /// Also covers the dot of a uid never seen.
  void remove_spec(const Uid& uid);
  /// True if `value` is newer than what is known.
  bool merge_value(const Uid& uid, const SpecValue& value);
  std::uint64_t spec_digest() const { return spec_sum_ + seen_.digest(); }
  std::vector<LiveDots> live_dots() const;

  // -- tables
  Table& table(NodeId node);
  const std::map<NodeId, Table>& tables() const { return tables_; }
  /// Writes one row of `node`'s table as part of `version`; the caller moves the table's own version when the
  /// change is complete. A released row with epoch 0 erases.
  void put_row(NodeId node, const TableRow& row, std::uint64_t version);
  /// The current row, or an erased one.
  TableRow row(NodeId node, const Uid& uid);
  /// The children that it has a row of.
  std::vector<Uid> rows_of(NodeId node) const;
  /// Readers are to look at them again.
  void touch_rows(NodeId node);
  /// Forgets a whole table.
  void drop_table(NodeId node);
  /// Rows of `node` that changed after `since`; false if the log does not reach back that far.
  bool rows_since(NodeId node, std::uint64_t since, std::vector<Uid>& out) const;

  /// Forgets a child that nobody refers to any more: no spec, no rows, no open request.
  void release_if_empty(Child& child);

  // -- what readers on other threads are told
  void touch(Child& child);
  /// Ids that became live, and that ceased to be, since the last call.
  std::vector<std::string> take_inserted() { return std::exchange(inserted_, {}); }
  std::vector<std::string> take_removed() { return std::exchange(removed_, {}); }
  /// Records say where children were placed.
  void tell_places(bool tell) { tells_places_ = tell; }
  std::vector<RegistryChange> take_changes(const std::function<bool(NodeId)>& is_up);

 private:
  struct ByUid {
    const Slab<Child>* slots;
    const Uid& key_at(Slot slot) const { return (*slots)[slot].uid; }
    std::size_t hash_at(Slot slot) const { return key_at(slot).hash(); }
    std::size_t hash(const Uid& uid) const { return uid.hash(); }
  };
  struct ById {
    const Slab<Child>* slots;
    std::string_view key_at(Slot slot) const { return (*slots)[slot].spec->spec.id; }
    std::size_t hash_at(Slot slot) const { return (*slots)[slot].spec->spec.id_hash; }
    std::size_t hash(std::string_view id) const { return hash64(id); }
  };

  Child& slot_for(const Uid& uid);
  static std::size_t log_length(const Table& table, bool own);
  void index_id(Child& child);
  void unindex_id(Child& child);
  ChildRecord record_of(const Child& child, const std::function<bool(NodeId)>& is_up) const;

  Listener* listener_;
  NodeId self_;
  Slab<Child> slots_{};
  NumberIndex<Uid, ByUid> by_uid_{ByUid{&slots_}};
  NumberIndex<std::string_view, ById> by_id_{ById{&slots_}};  ///< the winner of each id
  SeenSet seen_{};
  std::map<NodeId, Table> tables_{};
  std::pair<NodeId, Table*> recent_table_{};  ///< rows come many of one table at once
  std::uint64_t spec_sum_ = 0;
  std::size_t live_ = 0;
  bool tells_places_ = false;
  std::vector<Slot> changed_{};
  std::vector<std::string> gone_ids_{};  ///< of removed children, since the last take_changes
  std::vector<std::string> inserted_{};
  std::vector<std::string> removed_{};
};

/// The child two nodes agree on when an id was started twice.
bool wins_over(const Uid& a, const Uid& b);

}  // namespace processhub::protocol
