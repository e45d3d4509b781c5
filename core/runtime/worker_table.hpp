// WorkerTable: the workers of one host by serial, in shards with a lock each.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/protocol/containers.hpp"
#include "core/runtime/worker_cell.hpp"

namespace processhub::runtime {

class WorkerTable {
 public:
  struct alignas(64) Shard {
    std::mutex mutex{};
    protocol::HashMap<std::uint64_t, CellPtr> cells{};
    std::condition_variable room{};  ///< somebody waits for room in a mailbox of this shard
    std::uint32_t waiting_for_room = 0;
    MailStock stock{};

    void tell_waiting_senders() {
      if (waiting_for_room > 0) room.notify_all();
    }
  };

  Shard& shard(std::uint64_t serial) { return shards_[serial % kShards]; }
  std::array<Shard, 64>& shards() { return shards_; }

  CellPtr find(std::uint64_t serial) {
    auto& s = shard(serial);
    std::lock_guard lock(s.mutex);
    auto it = s.cells.find(serial);
    return it == s.cells.end() ? nullptr : it->second;
  }
  std::vector<CellPtr> all() {
    std::vector<CellPtr> cells;
    for (auto& s : shards_) {
      std::lock_guard lock(s.mutex);
      for (const auto& [serial, cell] : s.cells) cells.push_back(cell);
    }
    return cells;
  }

 private:
  static constexpr std::size_t kShards = 64;
  std::array<Shard, kShards> shards_{};
};

}  // namespace processhub::runtime
