// Distribution decides which nodes own a child. Pure: the same view and key give the same owners on every
// node.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "processhub/child.hpp"
#include "processhub/export.hpp"
#include "processhub/result.hpp"
#include "processhub/strategy/load.hpp"
#include "processhub/strategy/view.hpp"

namespace processhub {

/// What a distribution thinks of a node as the owner of a child, for tools.
struct NodeScore {
  NodeId node{};
  double score = 0;   ///< of the distribution's own scale; higher is better
  std::string why{};  ///< what it is made of: "weight 2"
};

class PROCESSHUB_API Distribution {
 public:
  virtual ~Distribution() = default;
  virtual std::string_view name() const = 0;
  /// Called once for a view before any owners() call on it: precompute per-member values here. Loop thread.
  virtual void prepare(const HubView& view) = 0;
  /// Whether such a child can be started, asked before anything starts; the error says what was expected.
  /// `replicas` is 0 if it is not known yet, `view` empty before the node has joined. The default refuses
  /// names of nodes.
  virtual Result<void> check(const ChildSpec& spec, std::size_t replicas, const HubView& view) const;
  /// Appends the owners of `child`, best first, at most `replicas`, all from the prepared view.
  virtual void owners(const ChildKey& child, std::size_t replicas, std::vector<NodeId>& out) const = 0;
  /// Saves time in large clusters; false is always right, and the default. `owner`, a member, was the one
  /// owner of `child` under an earlier view; all members of the prepared one but `newcomers` were members
  /// then. True: it still is.
  virtual bool keeps(const ChildKey& child, NodeId owner, std::span<const NodeId> newcomers) const;
  /// Of a distribution that places by load; null: it does not. Nodes are then measured, new children go where
  /// the rules say, and what was chosen is written down for owners() as ChildKey::placed.
  virtual const LoadRules* load_rules() const { return nullptr; }
  /// Appends what owners() goes by for each member of the prepared view, in any order. `loads`: the same
  /// members as they are measured; empty without load_rules(). By default nothing: there is only the order of
  /// owners().
  virtual void scores(const ChildKey& child, std::span<const NodeLoad> loads,
                      std::vector<NodeScore>& out) const;
};

}  // namespace processhub
