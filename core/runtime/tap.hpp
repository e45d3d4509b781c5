// Tap: the messages of a hub for those who watch them. Rate-limited and lossy: a watcher takes what there is,
// each time it asks, and is told how many did not fit. It can not slow the hub: who meets somebody else in
// here drops the message instead of waiting. Off until somebody asks; off again when nobody has for a while.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/tap.hpp"
#include "processhub/result.hpp"
#include "processhub/time.hpp"

namespace processhub::runtime {

/// `wanted`: an id, or the beginning of ids and `*`; empty: all.
bool matches_id(std::string_view wanted, std::string_view id);

/// What a watcher wants; empty: all.
struct TapFilter {
  std::string child{};  ///< its id, or the beginning of ids and `*`
  std::string kind{};   ///< call, cast, reply, topic, `hub` (all that hubs say among themselves), or a name
  std::string topic{};  ///< a pattern

  bool wants(const protocol::Tapped& what) const;
};

class Tap final : public protocol::TapSink {
 public:
  static constexpr std::size_t kWatchers = 4;
  static constexpr std::size_t kMostKept = 1'000;  ///< messages of a watcher between two reads
  static constexpr std::size_t kMostBody = 512;    ///< bytes; of a longer one only the size is kept
  static constexpr Duration kPatience = std::chrono::seconds(2);  ///< with a watcher that does not ask

  struct Entry {
    std::int64_t time_us = 0;  ///< of the system's clock
    protocol::Hop hop{};
    std::string kind{};
    std::string peer{};
    std::string child{};
    std::string message{};
    std::string topic{};
    std::uint64_t token = 0;
    std::string trace{};
    std::uint64_t size = 0;  ///< of the body
    Bytes body{};
  };
  struct Read {
    std::vector<Entry> entries{};
    std::uint64_t dropped = 0;  ///< since the last read
  };

  /// Any thread, at full speed.
  bool open() const { return open_.load(std::memory_order_relaxed); }
  /// Any thread. Never waits.
  void note(const protocol::Tapped& what) override;

  /// All since the last time; the first time opens the tap for this watcher, whose number is its own choice.
  /// Takes at most `most` until the next read. Errors: overloaded, if there are kWatchers others.
  Result<Read> read(std::uint64_t watcher, const TapFilter& filter, std::size_t most, Time now);
  /// Forgets watchers that have not asked for kPatience. The loop thread, every turn.
  void expire(Time now) {
    if (open()) forget_silent(now);
  }

 private:
  struct Watcher {
    std::uint64_t number = 0;
    TapFilter filter{};
    std::size_t room = 0;
    Time asked{};
    Read read{};
  };
  void forget_silent(Time now);
  void look_whether_full();

  std::atomic<bool> open_{false};
  std::atomic<bool> full_{false};            ///< nobody takes anything, and all want everything
  std::atomic<std::uint64_t> passed_by_{0};  ///< while it was full, or somebody else was in here
  std::mutex mutex_{};
  std::vector<Watcher> watchers_{};
};

}  // namespace processhub::runtime
