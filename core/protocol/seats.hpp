// Seats: the names that a quorum is counted from, each in or out by a version of its own. Nodes merge what
// they know seat by seat, so the order in which they hear of changes does not matter.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/hash.hpp"
#include "core/protocol/messages.hpp"

namespace processhub::protocol {

class Seats {
 public:
  bool formed() const { return !seats_.empty(); }
  bool has(std::string_view name) const {
    const auto found = seats_.find(name);
    return found != seats_.end() && found->second.in;
  }
  /// Has it now, or had it once.
  bool knows(std::string_view name) const { return seats_.find(name) != seats_.end(); }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& [name, seat] : seats_)
      if (seat.in) out.push_back(name);
    return out;
  }
  /// True if that changed something.
  bool set(std::string_view name, bool in) {
    if (has(name) == in) return false;
    auto& seat = seats_[std::string(name)];
    seat = {std::string(name), seat.version + 1, in};
    return true;
  }
  bool merge(const Seat& told) {
    const auto known = seats_.find(told.name);
    // Of two that changed it and did not know of each other, the one that lets somebody in counts.
    if (known != seats_.end() &&
        std::pair(told.version, told.in) <= std::pair(known->second.version, known->second.in))
      return false;
    seats_.insert_or_assign(told.name, told);
    return true;
  }
  std::vector<Seat> all() const {
    std::vector<Seat> out;
    for (const auto& [name, seat] : seats_) out.push_back(seat);
    return out;
  }
  /// 0: not formed.
  std::uint64_t digest() const {
    std::uint64_t sum = 0;
    for (const auto& [name, seat] : seats_)
      sum += hash64(name + (seat.in ? "+" : "-") + std::to_string(seat.version));
    return formed() ? std::max<std::uint64_t>(sum, 1) : 0;
  }

 private:
  std::map<std::string, Seat, std::less<>> seats_{};
};

}  // namespace processhub::protocol
