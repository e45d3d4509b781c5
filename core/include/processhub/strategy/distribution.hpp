// Distribution decides which nodes own a child. Pure: the same view and key give the same owners on every
// node.
#pragma once

#include <string_view>
#include <vector>

#include "processhub/strategy/view.hpp"

namespace processhub {

class Distribution {
 public:
  virtual ~Distribution() = default;
  virtual std::string_view name() const = 0;
  /// Called once for a view before any owners() call on it: precompute per-member values here. Loop thread.
  virtual void prepare(const HubView& view) = 0;
  /// Appends the owners of `child`, best first, at most `replicas`, all from the prepared view.
  virtual void owners(const ChildKey& child, std::size_t replicas, std::vector<NodeId>& out) const = 0;
};

}  // namespace processhub
