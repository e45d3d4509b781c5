// Redundancy decides how many owners a child has and which of them is active. Pure: the same view and owners
// give the same answers on every node.
#pragma once

#include <string_view>
#include <vector>

#include "processhub/child.hpp"
#include "processhub/strategy/view.hpp"

namespace processhub {

/// Which changes of its role a worker is told of (Worker::on_role).
enum class RoleSignal : std::uint8_t { none, active, passive, all };

class Redundancy {
 public:
  virtual ~Redundancy() = default;
  virtual std::string_view name() const = 0;
  virtual std::size_t replicas(const HubView& view) const = 0;
  /// The role of `node` for this child; `owners` best first.
  virtual Role role_of(NodeId node, const ChildKey& child, const std::vector<NodeId>& owners) const = 0;
  /// True: never more than one instance, whatever the view; it starts only where no other one is left.
  virtual bool singleton() const { return true; }
  /// True: of several instances one is active. A promotion then waits until no other node shows an active
  /// one.
  virtual bool one_active() const { return true; }
  virtual RoleSignal signals() const { return RoleSignal::all; }
};

}  // namespace processhub
