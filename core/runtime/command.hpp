// One thing another thread wants of the loop: an event for the core, how its answer ends, and which order it
// is part of.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "core/protocol/event.hpp"
#include "core/runtime/command_queue.hpp"
#include "core/runtime/open_answers.hpp"

namespace processhub::runtime {

/// Messages to a child that are still on their way through the loop, counted by a hash of its id. While there
/// are any, nobody takes the direct path to that child: a later message must not overtake an earlier one of
/// the same sender. The core closes lanes, too, while messages for a child that has moved here are under way.
class LoopTraffic {
 public:
  using Lane = std::uint16_t;
  static constexpr Lane kNone = 0xFFFF;
  static constexpr Lane kEveryLane = 0xFFFE;  ///< a broadcast: it may be on its way to any child
  static constexpr std::size_t kLanes = 4096;

  static Lane lane_of(std::uint64_t id_hash) { return static_cast<Lane>(id_hash >> 20 & (kLanes - 1)); }
  bool quiet(Lane lane) const {
    return count_[lane].load(std::memory_order_acquire) == 0 &&
           broadcasts_.load(std::memory_order_acquire) == 0;
  }
  /// True if nothing else is in this lane.
  bool enter(Lane lane) {
    return lane != kNone && counter(lane).fetch_add(1, std::memory_order_acq_rel) == 0;
  }
  void leave(Lane lane) {
    if (lane != kNone) counter(lane).fetch_sub(1, std::memory_order_acq_rel);
  }

 private:
  std::atomic<std::uint32_t>& counter(Lane lane) { return lane == kEveryLane ? broadcasts_ : count_[lane]; }

  std::atomic<std::uint32_t> broadcasts_{0};
  std::array<std::atomic<std::uint32_t>, kLanes> count_{};
};

struct Command {
  protocol::Event event{};
  protocol::Token token = 0;  ///< the one in the event, if it is answered
  Answer answer{};
  LoopTraffic::Lane lane = LoopTraffic::kNone;
  Place place = Place::fence;  ///< of those without a lane of their own
};

using Commands = CommandQueue<Command>;

}  // namespace processhub::runtime
