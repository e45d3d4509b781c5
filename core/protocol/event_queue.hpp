// EventQueue: user commands by priority, and the lock over them. The level is 0, or the highest of all lock
// holders'; an event below the level waits in order until the level falls. Everything that keeps the cluster
// going never enters here.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/event.hpp"
#include "core/protocol/meters.hpp"
#include "core/protocol/report.hpp"
#include "processhub/time.hpp"

namespace processhub::protocol {

inline constexpr int kLockedLevel = 10;

class EventQueue {
 public:
  enum class Holder : std::uint8_t { joining, quorum, redistribution, user };

  /// `deadline`: it is of no use later.
  void push(int priority, Event event, Time now, Time deadline = kNever) {
    waiting_[-priority].push_back({std::move(event), now, deadline});
    earliest_ = std::min(earliest_, deadline);
  }
  /// The next event at or above the level, with the time it came.
  std::optional<std::pair<Event, Time>> pop();
  bool has_ready() const;
  std::size_t size() const;
  /// Takes out what waited beyond its deadline.
  std::vector<Event> take_overdue(Time now);
  std::vector<Event> take_if(const std::function<bool(const Event&)>& wanted);
  /// Takes out everything, for answering it when the hub ends.
  std::vector<Event> drain();

  std::uint64_t lock(Holder holder, std::string reason, int level, Time now, bool discard = false);
  bool unlock(std::uint64_t token);
  int level() const;
  /// A holder wants events of this priority refused, not kept.
  bool discards(int priority) const;
  /// Frees redistribution and user holders older than `timeout`; their reasons.
  std::vector<std::string> free_overdue(Time now, Duration timeout);
  Time next_deadline(Duration timeout) const;
  std::size_t holders() const { return holders_.size(); }
  /// Writes down who holds it.
  void measure(Time now, Meters& meters) const;
  void list(Time now, Report& report) const;

 private:
  struct Item {
    Event event{};
    Time since{};
    Time deadline{kNever};
  };
  struct Held {
    /// Somebody may have forgotten it.
    bool may_be_freed() const { return holder == Holder::redistribution || holder == Holder::user; }
    Holder holder = Holder::user;
    std::string reason{};
    int level = kLockedLevel;
    Time since{};
    bool discard = false;
  };
  std::map<int, std::deque<Item>> waiting_{};  ///< by negative priority: the most urgent first
  Time earliest_{kNever};  ///< no deadline is before it; one that is gone already may have set it
  std::map<std::uint64_t, Held> holders_{};
  std::uint64_t last_token_ = 0;
};

}  // namespace processhub::protocol
