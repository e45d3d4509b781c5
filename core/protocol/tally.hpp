// Tally: what happened to many children, in few lines of log. A node that dies with ten thousand children, or
// a worker type that crashes everywhere, must be seen in the log and must not flood it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/protocol/effect.hpp"
#include "processhub/time.hpp"

namespace processhub::protocol {

class Tally {
 public:
  /// `what` happened to the child; it is told with others that the same happened to.
  void note(Time now, LogPart part, LogLevel level, std::string what, const std::string& id);
  /// Lines that are due: "took over from b/1: 7 children (x1 x2 x3 …)".
  std::vector<effect::Log> take_due(Time now);
  Time next_deadline() const { return due_; }

 private:
  struct Group {
    LogPart part = LogPart::children;
    LogLevel level = LogLevel::info;
    std::uint64_t count = 0;
    std::vector<std::string> some{};
  };
  std::map<std::string, Group> groups_{};
  Time due_{kNever};
};

}  // namespace processhub::protocol
