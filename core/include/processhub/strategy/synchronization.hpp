// Synchronization decides how nodes find out what they missed. Changes are published at once in any case;
// publications may be lost.
#pragma once

#include <cstdint>
#include <string_view>

namespace processhub {

struct SyncPlan {
  /// 0: every node publishes its heartbeat, with digests, to all others all the time. Otherwise it publishes
  /// only changes, and shows its digests to so many others in each heartbeat interval, to all of them in
  /// turn.
  std::uint32_t recipients = 0;
};

class Synchronization {
 public:
  virtual ~Synchronization() = default;
  virtual std::string_view name() const = 0;
  virtual SyncPlan plan() const = 0;
};

}  // namespace processhub
