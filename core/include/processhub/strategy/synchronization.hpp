// Synchronization decides how facts reach the other nodes.
#pragma once

#include <string_view>

namespace processhub {

struct SyncPlan {
  bool publish_deltas = true;  ///< every change is published at once; digests repair what was lost
};

class Synchronization {
 public:
  virtual ~Synchronization() = default;
  virtual std::string_view name() const = 0;
  virtual SyncPlan plan() const = 0;
};

}  // namespace processhub
