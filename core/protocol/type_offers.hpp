// TypeOffers: which members have which worker types. A node that lacks a plugin is no owner of its children.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "processhub/ids.hpp"

namespace processhub::protocol {

/// Hashes of type names, sorted; none: every type.
using OfferedTypes = std::optional<std::vector<std::uint64_t>>;

class TypeOffers {
 public:
  void clear() { by_node_.clear(); }
  void add(NodeId node, OfferedTypes types) { by_node_[node] = std::move(types); }
  /// All members have the same types: nothing to look up.
  bool alike() const {
    return std::all_of(by_node_.begin(), by_node_.end(),
                       [&](const auto& o) { return o.second == by_node_.begin()->second; });
  }
  bool has(NodeId node, std::uint64_t type) const {
    auto it = by_node_.find(node);
    return it != by_node_.end() &&
           (!it->second || std::binary_search(it->second->begin(), it->second->end(), type));
  }
  bool nobody_has(std::uint64_t type) const {
    return std::none_of(by_node_.begin(), by_node_.end(), [&](const auto& o) { return has(o.first, type); });
  }

 private:
  std::map<NodeId, OfferedTypes> by_node_{};
};

}  // namespace processhub::protocol
