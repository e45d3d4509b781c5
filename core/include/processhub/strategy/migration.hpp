// Migration decides how a child goes from one living node to another.
#pragma once

#include <string_view>

namespace processhub {

struct MovePlan {
  bool hand_over_state =
      false;  ///< false: stop, then start (cold). true: start, hand over, switch, stop (hot)
};

class Migration {
 public:
  virtual ~Migration() = default;
  virtual std::string_view name() const = 0;
  virtual MovePlan plan() const = 0;
};

}  // namespace processhub
