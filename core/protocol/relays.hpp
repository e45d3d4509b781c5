// Relays: which peers are reached only through a third node, and through which one. A relay serves while it
// is vouched for: it lapses by itself, so that two nodes that can reach each other again find out.
#pragma once

#include <map>

#include "processhub/ids.hpp"
#include "processhub/time.hpp"

namespace processhub::protocol {

class Relays {
 public:
  void use(NodeId peer, NodeId via, Time until) { ways_[peer] = {via, until}; }
  void drop(NodeId peer) { ways_.erase(peer); }
  /// No node: the peer is reached directly, as far as is known.
  NodeId via(NodeId peer, Time now) const {
    auto it = ways_.find(peer);
    return it == ways_.end() || now >= it->second.until ? NodeId{} : it->second.node;
  }

 private:
  struct Way {
    NodeId node{};
    Time until{};
  };
  std::map<NodeId, Way> ways_{};
};

}  // namespace processhub::protocol
