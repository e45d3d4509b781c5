// What any thread may read of the registry, without ever waiting for the loop. One writer: the loop thread
// calls apply(); the changes it publishes are those of HubCore::take_registry_changes().
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/hub_core.hpp"
#include "core/runtime/read_section.hpp"
#include "processhub/child.hpp"
#include "processhub/ids.hpp"

namespace processhub::runtime {

/// A record as users see it.
ChildInfo to_info(const protocol::ChildRecord& record);

class RegistryView {
 public:
  RegistryView();
  ~RegistryView();  ///< no reader may be left
  RegistryView(const RegistryView&) = delete;
  RegistryView& operator=(const RegistryView&) = delete;

  /// Loop thread only. Also frees what was replaced earlier, so an empty call is of use.
  void apply(std::vector<protocol::RegistryChange> changes);

  // Any thread.
  /// The running active instance, with the highest generation if there are several.
  std::optional<WorkerRef> active_of(std::string_view id) const { return active_of(id, hash_of(id)); }
  /// The same for callers that need the hash themselves.
  std::optional<WorkerRef> active_of(std::string_view id, std::uint64_t hash) const;
  static std::uint64_t hash_of(std::string_view id);  ///< never 0
  std::optional<ChildInfo> lookup(std::string_view id) const;
  std::vector<Instance> instances(std::string_view id) const;
  /// Sorted by id. `only_on`: the children that have an instance on this node; no node: all.
  std::vector<ChildInfo> list(NodeId only_on = {}) const;
  std::vector<ChildInfo> by_tag(std::string_view tag) const;
  /// One line per instance, sorted by id.
  std::string dump() const;
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  struct Row;
  struct Entry;
  struct FreeEntry {
    void operator()(const Entry* entry) const;
  };
  using EntryPtr = std::unique_ptr<const Entry, FreeEntry>;
  struct Slot;
  struct Table;

  const Entry* find(std::string_view id, std::uint64_t hash) const;  // inside a ReadSection
  void put(const std::string& id, protocol::ChildRecord record);
  void erase(const std::string& id);
  void make_room();
  template <class Keep>
  std::vector<protocol::ChildRecord> collect(Keep keep) const;

  std::atomic<const Table*> current_{nullptr};
  std::atomic<std::size_t> size_{0};
  std::unique_ptr<Table> table_;  // what current_ shows; writer only
  Retired<EntryPtr> retired_entries_;
  Retired<std::unique_ptr<Table>> retired_tables_;
};

}  // namespace processhub::runtime
