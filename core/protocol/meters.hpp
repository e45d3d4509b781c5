// Meters: what the core counts beside HubStats, for metrics and tools. Plain numbers: counting costs an
// addition.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "processhub/result.hpp"
#include "processhub/time.hpp"

namespace processhub::protocol {

/// How often something took how long.
struct Distribution {
  /// Upper bounds in µs; what is longer falls into one more bucket.
  static constexpr std::array<Duration::rep, 16> kBounds{
      50,     100,    250,     500,     1'000,   2'500,     5'000,     10'000,
      25'000, 50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 10'000'000};

  std::array<std::uint64_t, kBounds.size() + 1> buckets{};
  Duration sum{};

  void note(Duration took) {
    std::size_t at = 0;
    while (at < kBounds.size() && took.count() > kBounds[at]) ++at;
    ++buckets[at];
    sum += took;
  }
};

/// By ErrorCode; 0 is success.
struct CountByCode {
  static constexpr std::size_t kCodes = static_cast<std::size_t>(ErrorCode::discarded) + 1;
  std::array<std::uint64_t, kCodes> counts{};

  void note(ErrorCode code) {
    const auto at = static_cast<std::size_t>(code);
    ++counts[at < kCodes ? at : static_cast<std::size_t>(ErrorCode::unknown)];  // a newer peer's code
  }
};

struct Meters {
  Distribution queue_wait{};  ///< of commands, behind the lock
  Distribution call_time{};   ///< of calls through the core, to their end
  Distribution move_time{};   ///< of children that moved here, from the first request to the start
  CountByCode calls_ended{};
  CountByCode dead_letters{};
  std::uint64_t moved_here = 0;
  std::uint64_t taken_over = 0;
  std::uint64_t moves_undone = 0;  ///< this node kept what it was to hand over
  std::uint64_t members_up = 0;
  std::uint64_t members_down = 0;
  std::uint64_t members_left = 0;
  std::uint64_t locks_freed = 0;  ///< by the deadlock timeout

  // -- of now
  std::uint64_t queue_waiting = 0;
  int queue_level = 0;
  std::array<std::uint64_t, 4> lock_holders{};  ///< by EventQueue::Holder
  Duration lock_age{};                          ///< of the oldest
  std::uint64_t calls_open = 0;
  std::uint64_t messages_held = 0;  ///< for children in transit
  std::uint64_t moves_in = 0;
  std::uint64_t moves_out = 0;
  std::uint64_t children_waiting = 0;  ///< cannot be decided yet
  bool settled = false;
};

}  // namespace processhub::protocol
