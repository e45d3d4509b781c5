// SeatVote: by which change a roll is followed. Single-decree Paxos among its voters, one decision for a
// roll; a voter's promises end with its life, and so does its vote: the next life needs a seat of its own.
//
//   Asked are the voters that have not left, without the one whose seat is given away because its life is
//   over; more than half of them decide. Who has left stands for what it said last. Any two such majorities
//   of one roll have a voter in common, or one of the lives that are over spoke after its end.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "core/protocol/quorum_messages.hpp"
#include "core/protocol/roll.hpp"
#include "processhub/time.hpp"

namespace processhub::protocol {

/// Whose vote is needed for this change of the roll, in order.
std::vector<NodeId> asked_for(const Roll& roll, const SeatChange& change);

class SeatVoteEvents {
 public:
  virtual ~SeatVoteEvents() = default;
  virtual void send_vote(NodeId to, const SeatMessage& m) = 0;
  /// The roll it follows is to be followed by this change of it.
  virtual void on_decided(const SeatChange& change) = 0;
};

class SeatVote {
 public:
  SeatVote(NodeId self, SeatVoteEvents& events) : self_(self), events_(events) {}

  /// Another roll, or one more voter of it has left.
  void follow(const Roll& roll);
  /// Proposes the change, unless it has proposed one later than `late`: answers may be on their way.
  void propose(const SeatChange& change, Time now, Time late);
  /// From now on this node does not vote.
  LastWord retire();
  void on(NodeId from, const SeatPrepare& m);
  void on(NodeId from, const SeatPromise& m);
  void on(NodeId from, const SeatAccept& m);
  void on(NodeId from, const SeatAccepted& m);

 private:
  enum class Phase : std::uint8_t { none, preparing, accepting };
  bool votes() const { return voter_ && !retired_; }
  template <class M>
  void say(NodeId to, const M& m);
  void prepare(const SeatChange& change);
  void hear(const VoterState& said);
  bool enough() const;

  const NodeId self_;
  SeatVoteEvents& events_;
  Roll roll_{};
  /// Roots of sequences it has turned away from: what it promised there is forgotten, so it votes there no
  /// more.
  std::set<std::uint64_t> abandoned_{};
  bool voter_ = false;
  bool retired_ = false;
  VoterState own_{};
  // What it proposes.
  Phase phase_ = Phase::none;
  SeatBallot ballot_{};
  std::uint64_t highest_ = 0;  ///< of all ballots it heard of
  SeatChange wanted_{};
  VoterState latest_{};  ///< of those that answered the one that accepted the highest ballot
  std::set<NodeId> yes_{};
  Time since_{};
};

}  // namespace processhub::protocol
