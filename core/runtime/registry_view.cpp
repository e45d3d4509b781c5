#include "core/runtime/registry_view.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <span>
#include <utility>

#include "core/hash.hpp"

namespace processhub::runtime {

/// An Instance without saying its node twice.
struct RegistryView::Row {
  WorkerRef ref{};
  std::uint64_t epoch = 0;
  std::uint32_t restarts = 0;
  Role role = Role::none;
  InstanceState state = InstanceState::starting;

  bool serves() const { return role == Role::active && state == InstanceState::running; }
  Instance instance() const { return {ref, role, state, {epoch, restarts, ref.node}}; }
};

/// One id, immutable, in one piece of memory: behind the object lie its instances, the highest generation
/// first, and then the bytes of the id.
struct RegistryView::Entry {
  std::shared_ptr<const protocol::SharedSpec> spec{};
  std::shared_ptr<const protocol::ChildChanges> changes{};
  Uid uid{};
  std::uint32_t id_size = 0;
  std::uint32_t row_count = 0;

  static EntryPtr make(std::string_view id, protocol::ChildRecord record) {
    const auto& instances = record.instances;
    // Always room for one: the entry that follows when the child runs then fits into what an earlier one
    // leaves.
    const auto room = std::max<std::size_t>(instances.size(), 1) * sizeof(Row);
    void* memory = ::operator new(sizeof(Entry) + room + id.size());
    auto* entry = new (memory)
        Entry{std::move(record.spec), std::move(record.changes), record.uid,
              static_cast<std::uint32_t>(id.size()), static_cast<std::uint32_t>(instances.size())};
    auto* row = reinterpret_cast<Row*>(entry + 1);
    for (const auto& i : instances)
      new (row++) Row{i.ref, i.generation.epoch, i.generation.restarts, i.role, i.state};
    std::memcpy(static_cast<void*>(row), id.data(), id.size());
    return EntryPtr(entry);
  }

  std::span<const Row> rows() const { return {reinterpret_cast<const Row*>(this + 1), row_count}; }
  std::string_view id() const { return {reinterpret_cast<const char*>(rows().data() + row_count), id_size}; }
  WorkerRef active() const {
    for (const auto& row : rows())
      if (row.serves()) return row.ref;
    return {};
  }
  /// For use outside the ReadSection.
  protocol::ChildRecord record() const {
    protocol::ChildRecord out{spec, uid, changes, {}};
    for (const auto& row : rows()) out.instances.push_back(row.instance());
    return out;
  }
};

void RegistryView::FreeEntry::operator()(const Entry* entry) const {
  entry->~Entry();
  ::operator delete(const_cast<Entry*>(entry));
}

/// hash 0: never used, a search ends here. A hash without an entry: the id was removed. The entry is written
/// before the hash, so who sees a new hash sees its entry; an entry of another id is skipped by comparing
/// ids.
struct RegistryView::Slot {
  std::atomic<std::uint64_t> hash{0};
  std::atomic<const Entry*> entry{nullptr};
};

struct RegistryView::Table {
  explicit Table(std::size_t capacity) : mask(capacity - 1), slots(std::make_unique<Slot[]>(capacity)) {}
  std::size_t capacity() const { return mask + 1; }

  /// The entry of `id` and where it is, or nulls. The entry returned is the one whose id was compared.
  std::pair<Slot*, const Entry*> find(std::string_view id, std::uint64_t hash) const {
    for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
      auto& slot = slots[i];
      const auto seen = slot.hash.load();
      if (seen == 0) return {};
      if (seen != hash) continue;
      if (const auto* entry = slot.entry.load(); entry != nullptr && entry->id() == id) return {&slot, entry};
    }
  }
  /// Writer only; the entry is not in the table yet.
  void insert(EntryPtr entry, std::uint64_t hash) {
    std::size_t i = hash & mask;
    while (slots[i].hash.load() != 0 && !(slots[i].hash.load() == hash && slots[i].entry.load() == nullptr)) {
      i = (i + 1) & mask;
    }
    if (slots[i].hash.load() == 0) ++used;
    slots[i].entry.store(entry.release());
    slots[i].hash.store(hash);
  }
  /// Writer only: takes every entry out, with its hash, for the next table or the end.
  template <class F>
  void for_each_owned(F take) {
    for (std::size_t i = 0; i < capacity(); ++i) {
      const auto* entry = slots[i].entry.load(std::memory_order_relaxed);
      if (entry != nullptr) take(EntryPtr(entry), slots[i].hash.load(std::memory_order_relaxed));
    }
  }

  const std::size_t mask;
  std::size_t used = 0;  // slots with a hash, removed ids included
  const std::unique_ptr<Slot[]> slots;
};

ChildInfo to_info(const protocol::ChildRecord& record) {
  ChildInfo info{record.spec->whole(), record.uid, record.instances, {}};
  if (!record.changes) return info;
  if (record.changes->metadata) info.spec.metadata = *record.changes->metadata;
  info.failure = record.changes->failure;
  return info;
}

namespace {

constexpr std::size_t kSmallest = 64;

template <class Records>
std::vector<ChildInfo> to_infos(const Records& records) {
  std::vector<ChildInfo> out;
  out.reserve(records.size());
  for (const auto& record : records) out.push_back(to_info(record));
  return out;
}

void append_line(std::string& out, const protocol::SharedSpec& spec, const Instance* instance) {
  out += spec.id + " type=" + spec.kind->type;
  if (!spec.kind->tag.empty()) out += " tag=" + spec.kind->tag;
  if (instance == nullptr) {
    out += " not running\n";
    return;
  }
  out += " ref=" + instance->ref.str() + " role=";
  out += to_string(instance->role);
  out += " state=";
  out += to_string(instance->state);
  out += " generation=" + instance->generation.str() + "\n";
}

}  // namespace

RegistryView::RegistryView() : table_(std::make_unique<Table>(kSmallest)) { current_.store(table_.get()); }

RegistryView::~RegistryView() {
  table_->for_each_owned([](EntryPtr, std::uint64_t) {});
}

std::uint64_t RegistryView::hash_of(std::string_view id) {
  const auto hash = hash64(id);
  return hash != 0 ? hash : 1;
}

void RegistryView::apply(std::vector<protocol::RegistryChange> changes) {
  for (auto& change : changes) {
    if (change.record) {
      put(change.id, std::move(*change.record));
    } else {
      erase(change.id);
    }
  }
  retired_entries_.reclaim();
  retired_tables_.reclaim();
}

void RegistryView::put(const std::string& id, protocol::ChildRecord record) {
  const auto hash = hash_of(id);
  auto entry = Entry::make(id, std::move(record));
  if (auto* slot = table_->find(id, hash).first) {
    retired_entries_.add(EntryPtr(slot->entry.exchange(entry.release())));
    return;
  }
  make_room();
  table_->insert(std::move(entry), hash);
  size_.store(size() + 1, std::memory_order_relaxed);
}

void RegistryView::erase(const std::string& id) {
  auto* slot = table_->find(id, hash_of(id)).first;
  if (slot == nullptr) return;
  retired_entries_.add(EntryPtr(slot->entry.exchange(nullptr)));
  size_.store(size() - 1, std::memory_order_relaxed);
}

/// At most 5/8 of the slots carry a hash; a new table starts with a third at most and forgets the removed
/// ids.
void RegistryView::make_room() {
  if ((table_->used + 1) * 8 <= table_->capacity() * 5) return;
  auto next = std::make_unique<Table>(std::max(kSmallest, std::bit_ceil((size() + 1) * 3)));
  table_->for_each_owned([&](EntryPtr entry, std::uint64_t hash) { next->insert(std::move(entry), hash); });
  current_.store(next.get());
  retired_tables_.add(std::exchange(table_, std::move(next)));
}

const RegistryView::Entry* RegistryView::find(std::string_view id, std::uint64_t hash) const {
  return current_.load()->find(id, hash).second;
}

std::optional<WorkerRef> RegistryView::active_of(std::string_view id, std::uint64_t hash) const {
  const ReadSection reading;
  const auto* entry = find(id, hash);
  const auto active = entry != nullptr ? entry->active() : WorkerRef{};
  return active ? std::optional(active) : std::nullopt;
}

std::optional<ChildInfo> RegistryView::lookup(std::string_view id) const {
  const auto hash = hash_of(id);
  std::optional<protocol::ChildRecord> record;
  {
    const ReadSection reading;
    if (const auto* entry = find(id, hash)) record = entry->record();
  }
  return record ? std::optional(to_info(*record)) : std::nullopt;
}

std::vector<Instance> RegistryView::instances(std::string_view id) const {
  const auto hash = hash_of(id);
  const ReadSection reading;
  const auto* entry = find(id, hash);
  return entry != nullptr ? entry->record().instances : std::vector<Instance>{};
}

/// Only records are copied while the writer is held up from freeing; sorting comes after.
template <class Keep>
std::vector<protocol::ChildRecord> RegistryView::collect(Keep keep) const {
  std::vector<protocol::ChildRecord> out;
  {
    const ReadSection reading;
    const auto* table = current_.load();
    for (std::size_t i = 0; i < table->capacity(); ++i) {
      const auto* entry = table->slots[i].entry.load();
      if (entry != nullptr && keep(*entry)) out.push_back(entry->record());
    }
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.spec->id < b.spec->id; });
  return out;
}

std::vector<ChildInfo> RegistryView::list(NodeId only_on) const {
  return to_infos(collect([&](const Entry& entry) {
    const auto rows = entry.rows();
    return !only_on ||
           std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return row.ref.node == only_on; });
  }));
}

std::vector<ChildInfo> RegistryView::by_tag(std::string_view tag) const {
  return to_infos(collect([&](const Entry& entry) { return entry.spec->kind->tag == tag; }));
}

std::string RegistryView::dump() const {
  std::string out;
  for (const auto& record : collect([](const Entry&) { return true; })) {
    if (record.instances.empty()) append_line(out, *record.spec, nullptr);
    for (const auto& instance : record.instances) append_line(out, *record.spec, &instance);
  }
  return out;
}

}  // namespace processhub::runtime
