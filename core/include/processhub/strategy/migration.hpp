// Migration decides how a child goes from one living node to another.
#pragma once

#include <string_view>

#include "processhub/time.hpp"

namespace processhub {

struct MovePlan {
  /// false: stop, then start (cold). true: start, hand over, switch, stop (hot)
  bool hot = false;
  // The rest counts for hot moves only.
  bool hand_over_state = true;   ///< false: the new worker starts from its args
  bool confirm = false;          ///< the old one lets go only when the new one's on_start has returned
  bool cold_if_refused = false;  ///< a state that cannot be had: move without it; false: stay, try again
  Duration retention{};          ///< the old one is kept frozen for so long after the new one runs
  Duration data_wait{};          ///< for the first moment at which the worker waits for nothing of its own
  Duration timeout{};            ///< from then until the target is ready
};

class Migration {
 public:
  virtual ~Migration() = default;
  virtual std::string_view name() const = 0;
  virtual MovePlan plan() const = 0;
};

}  // namespace processhub
