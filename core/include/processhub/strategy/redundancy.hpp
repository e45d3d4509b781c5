// Redundancy decides how many owners a child has and which of them is active.
#pragma once

#include <string_view>
#include <vector>

#include "processhub/child.hpp"
#include "processhub/strategy/view.hpp"

namespace processhub {

class Redundancy {
 public:
  virtual ~Redundancy() = default;
  virtual std::string_view name() const = 0;
  virtual std::size_t replicas(const HubView& view) const = 0;
  /// The role of `node` for this child; `owners` best first.
  virtual Role role_of(NodeId node, const ChildKey& child, const std::vector<NodeId>& owners) const = 0;
};

}  // namespace processhub
