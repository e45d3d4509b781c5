#include "core/runtime/registry_view.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

#include "core/hash.hpp"

namespace processhub::runtime {

/// One id, immutable: everything active_of needs lies together, the id's bytes right behind the object.
struct RegistryView::Entry {
  std::uint64_t hash = 0;
  WorkerRef active{};
  RecordPtr record{};
  std::uint32_t id_size = 0;

  std::string_view id() const { return {reinterpret_cast<const char*>(this + 1), id_size}; }

  static EntryPtr make(std::string_view id, std::uint64_t hash, RecordPtr record) {
    void* memory = ::operator new(sizeof(Entry) + id.size());
    const WorkerRef active = active_in(*record);
    auto* entry = new (memory) Entry{hash, active, std::move(record), static_cast<std::uint32_t>(id.size())};
    std::memcpy(static_cast<void*>(entry + 1), id.data(), id.size());
    return EntryPtr(entry);
  }

 private:
  static WorkerRef active_in(const protocol::ChildRecord& record) {
    const Instance* best = nullptr;
    for (const auto& instance : record.instances) {
      if (instance.role != Role::active || instance.state != InstanceState::running) continue;
      if (best == nullptr || best->generation < instance.generation) best = &instance;
    }
    return best != nullptr ? best->ref : WorkerRef{};
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
  /// Writer only; `entry` is not in the table yet.
  void insert(EntryPtr entry) {
    std::size_t i = entry->hash & mask;
    while (slots[i].hash.load() != 0 &&
           !(slots[i].hash.load() == entry->hash && slots[i].entry.load() == nullptr)) {
      i = (i + 1) & mask;
    }
    if (slots[i].hash.load() == 0) ++used;
    const auto hash = entry->hash;
    slots[i].entry.store(entry.release());
    slots[i].hash.store(hash);
  }
  /// Writer only: takes every entry out, for the next table or the end.
  template <class F>
  void for_each_owned(F take) {
    for (std::size_t i = 0; i < capacity(); ++i) {
      if (const auto* entry = slots[i].entry.load(std::memory_order_relaxed)) take(EntryPtr(entry));
    }
  }

  const std::size_t mask;
  std::size_t used = 0;  // slots with a hash, removed ids included
  const std::unique_ptr<Slot[]> slots;
};

namespace {

constexpr std::size_t kSmallest = 64;

ChildInfo to_info(const protocol::ChildRecord& record) {
  ChildInfo info{*record.spec, record.uid, record.instances};
  if (record.metadata) info.spec.metadata = *record.metadata;
  return info;
}

template <class Records>
std::vector<ChildInfo> to_infos(const Records& records) {
  std::vector<ChildInfo> out;
  out.reserve(records.size());
  for (const auto& record : records) out.push_back(to_info(*record));
  return out;
}

void append_line(std::string& out, const ChildSpec& spec, const Instance* instance) {
  out += spec.id + " type=" + spec.type;
  if (!spec.tag.empty()) out += " tag=" + spec.tag;
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
  table_->for_each_owned([](EntryPtr) {});
}

std::uint64_t RegistryView::hash_of(std::string_view id) {
  const auto hash = hash64(id);
  return hash != 0 ? hash : 1;
}

void RegistryView::apply(std::vector<protocol::RegistryChange> changes) {
  for (auto& change : changes) {
    if (change.record) {
      put(change.id, std::move(change.record));
    } else {
      erase(change.id);
    }
  }
  retired_entries_.reclaim();
  retired_tables_.reclaim();
}

void RegistryView::put(const std::string& id, RecordPtr record) {
  const auto hash = hash_of(id);
  auto entry = Entry::make(id, hash, std::move(record));
  if (auto* slot = table_->find(id, hash).first) {
    retired_entries_.add(EntryPtr(slot->entry.exchange(entry.release())));
    return;
  }
  make_room();
  table_->insert(std::move(entry));
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
  table_->for_each_owned([&](EntryPtr entry) { next->insert(std::move(entry)); });
  current_.store(next.get());
  retired_tables_.add(std::exchange(table_, std::move(next)));
}

const RegistryView::Entry* RegistryView::find(std::string_view id, std::uint64_t hash) const {
  return current_.load()->find(id, hash).second;
}

std::optional<WorkerRef> RegistryView::active_of(std::string_view id, std::uint64_t hash) const {
  const ReadSection reading;
  const auto* entry = find(id, hash);
  if (entry == nullptr || !entry->active) return std::nullopt;
  return entry->active;
}

std::optional<ChildInfo> RegistryView::lookup(std::string_view id) const {
  const auto hash = hash_of(id);
  RecordPtr record;
  {
    const ReadSection reading;
    if (const auto* entry = find(id, hash)) record = entry->record;
  }
  return record ? std::optional(to_info(*record)) : std::nullopt;
}

std::vector<Instance> RegistryView::instances(std::string_view id) const {
  const auto hash = hash_of(id);
  const ReadSection reading;
  const auto* entry = find(id, hash);
  return entry != nullptr ? entry->record->instances : std::vector<Instance>{};
}

/// Only pointers are copied while the writer is held up from freeing; sorting comes after.
template <class Keep>
std::vector<RegistryView::RecordPtr> RegistryView::collect(Keep keep) const {
  std::vector<RecordPtr> out;
  {
    const ReadSection reading;
    const auto* table = current_.load();
    for (std::size_t i = 0; i < table->capacity(); ++i) {
      const auto* entry = table->slots[i].entry.load();
      if (entry != nullptr && keep(*entry->record)) out.push_back(entry->record);
    }
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a->spec->id < b->spec->id; });
  return out;
}

std::vector<ChildInfo> RegistryView::list(NodeId only_on) const {
  return to_infos(collect([&](const protocol::ChildRecord& record) {
    return !only_on || std::any_of(record.instances.begin(), record.instances.end(),
                                   [&](const Instance& i) { return i.ref.node == only_on; });
  }));
}

std::vector<ChildInfo> RegistryView::by_tag(std::string_view tag) const {
  return to_infos(collect([&](const protocol::ChildRecord& record) { return record.spec->tag == tag; }));
}

std::string RegistryView::dump() const {
  std::string out;
  for (const auto& record : collect([](const protocol::ChildRecord&) { return true; })) {
    if (record->instances.empty()) append_line(out, *record->spec, nullptr);
    for (const auto& instance : record->instances) append_line(out, *record->spec, &instance);
  }
  return out;
}

}  // namespace processhub::runtime
