// Partition tolerance decides whether this side of a cluster may run children.
#pragma once

#include <string_view>

#include "processhub/strategy/view.hpp"

namespace processhub {

class PartitionTolerance {
 public:
  virtual ~PartitionTolerance() = default;
  virtual std::string_view name() const = 0;
  /// False: this side is partitioned; children stop and starts fail.
  virtual bool has_quorum(const HubView& view) = 0;
};

}  // namespace processhub
