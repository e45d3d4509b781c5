// Nodes that vote on who is counted, and nothing else: no clocks, no membership, no connections. Messages are
// lost, repeated and overtaken, lives end and begin again, voters leave with or without being heard, several
// propose at once whatever they like. Tests ask it whether two of them ever came to count differently.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/context.hpp"
#include "core/protocol/seat_vote.hpp"

namespace processhub::test {

class SeatModel {
 public:
  /// Restless: lives end often.
  SeatModel(std::uint64_t seed, std::size_t nodes, bool restless);
  ~SeatModel();
  /// What went wrong within so many steps; empty: nothing.
  std::string run(std::size_t steps);
  std::size_t decisions() const { return decided_.size(); }
  std::size_t last_epoch() const;

 private:
  struct Node;
  struct Letter {
    NodeId from{};
    NodeId to{};
    std::optional<protocol::SeatMessage> vote{};  ///< or the roll
    protocol::Roll roll{};
  };
  Node& add(const std::string& name, std::uint64_t incarnation);
  Node* any_alive();
  std::size_t alive() const;
  void step();
  void deliver();
  void end_a_life();
  void propose(Node& node);
  void adopt(Node& node, protocol::Roll roll);
  void tell(const Node& node);
  void note_decision(const Node& node, const protocol::SeatChange& change);
  bool both_may_hold(const Node& a, const Node& b) const;
  void check_sides();

  protocol::Rng rng_;
  const bool restless_;
  std::deque<std::unique_ptr<Node>> nodes_{};
  std::vector<Letter> letters_{};
  std::map<std::uint64_t, protocol::SeatChange> decided_{};  ///< by the key of the roll
  std::uint64_t names_ = 0;
  std::int64_t now_ = 0;
  std::string wrong_{};
};

}  // namespace processhub::test
