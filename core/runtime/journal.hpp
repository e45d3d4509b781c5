// Journal: the last events of a hub, for tools that look at it later or from afar. Bounded: what is older is
// forgotten, and who reads too seldom is told how much was missed. Any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "core/log_levels.hpp"

namespace processhub::runtime {

class Journal {
 public:
  static constexpr std::size_t kKept = 4'000;

  struct Entry {
    std::uint64_t number = 0;  ///< from 1, without gaps
    std::int64_t time_us = 0;  ///< of the system's clock: to show it, not to order by it
    LogPart part = LogPart::hub;
    LogLevel level = LogLevel::info;
    std::string text{};
    std::vector<std::string> ids{};
  };
  struct Read {
    std::vector<Entry> entries{};
    std::uint64_t missed = 0;  ///< after the asked number, and forgotten
    std::uint64_t last = 0;    ///< the newest number there is
  };

  void add(Entry entry) {
    std::lock_guard lock(mutex_);
    entry.number = ++last_;
    entries_.push_back(std::move(entry));
    if (entries_.size() > kKept) entries_.pop_front();
  }

  /// At most `limit` entries behind number `after`, the oldest first.
  Read read(std::uint64_t after, std::size_t limit) const {
    std::lock_guard lock(mutex_);
    Read out;
    out.last = last_;
    const auto first = entries_.empty() ? last_ + 1 : entries_.front().number;
    if (after + 1 < first) out.missed = first - after - 1;
    for (const auto& entry : entries_) {
      if (entry.number <= after) continue;
      if (out.entries.size() == limit) break;
      out.entries.push_back(entry);
    }
    return out;
  }

 private:
  mutable std::mutex mutex_{};
  std::deque<Entry> entries_{};
  std::uint64_t last_ = 0;
};

}  // namespace processhub::runtime
