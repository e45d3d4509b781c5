// Balancer: how busy the nodes are, for a distribution that places by it. Each node measures itself and tells
// the leader, the member that has been there for longest; the leader tells all what it has gathered. Where
// children go is decided with the last that was told, so it goes on while the leader is silent or another one
// takes its place. Without LoadRules it does nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "core/protocol/context.hpp"
#include "core/protocol/event.hpp"
#include "core/protocol/links.hpp"
#include "core/protocol/messages.hpp"
#include "processhub/strategy/load.hpp"
#include "processhub/strategy/view.hpp"

namespace processhub::protocol {

class Balancer {
 public:
  Balancer(Context& context, Links& links, const LoadRules* rules);
  bool on() const { return rules_ != nullptr; }
  const LoadRules& rules() const { return *rules_; }

  /// The members that may own children.
  void on_view_changed(const HubView& view);
  void on(const event::LoadMeasured& measured);
  void on(NodeId from, const LoadReport& report);
  void on(NodeId from, const LoadBoard& board);
  void on(NodeId from, const LoadAsk& ask);
  void tick();
  Time next_deadline() const { return due_; }

  /// Before `count` children are placed: asks the leader, who knows best. The answer is a LoadBoard with this
  /// number; it may never come. False: nobody is to be asked.
  bool ask(std::uint64_t number, std::size_t count);

  // -- for Placement
  /// A child has one owner more, or less, here.
  void owned(NodeId node, std::int64_t change);
  /// The best `count` for a new child come first.
  void rank(std::vector<NodeId>& nodes, std::size_t count) const;
  /// A new child goes there.
  void give(NodeId node, std::uint64_t children = 1);
  NodeId leader() const { return leader_; }
  /// True once for each round of this node as the leader.
  bool take_round() { return std::exchange(round_, false); }
  /// What is known of the members. Empty without rules.
  std::vector<NodeLoad> loads() const;
  double busy(NodeId node) const;
  std::uint64_t children(NodeId node) const;

 private:
  struct Node {
    double weight = 1.0;
    double busy = 0;
    std::deque<LoadSample> history{};  ///< the leader's
    std::uint64_t promised = 0;        ///< children, with those that are on their way to it …
    Time promised_until{};             ///< … by now known as its own
  };

  std::uint64_t children_of(NodeId node, const Node& state) const;
  void take(NodeId node, const LoadSample& sample);
  LoadBoard board(std::uint64_t ask) const;

  Context& ctx_;
  Links& links_;
  const LoadRules* rules_;
  NodeId leader_{};
  std::map<NodeId, Node> nodes_{};             ///< the members that may own children
  std::map<NodeId, std::int64_t> children_{};  ///< by owner, also of those that are gone
  bool round_ = false;
  Time due_{kNever};
};

}  // namespace processhub::protocol
