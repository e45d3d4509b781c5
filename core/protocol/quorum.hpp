// Quorum: whether this side of the cluster may run children, and up to when its workers may start turns. What
// is enough, the partition tolerance says. Rules: DESIGN §10.
//
//   The lease     A quorum that answered something sent at T knows this node up to then. It holds it down
//                 later at the earliest, and waits a whole lease from there before it takes children over: no
//                 turn here may start after T plus the lease.
//   The seats     The names that are counted. They are given and taken by the side with a quorum, in an
//                 agreed view where all know the same seats, by the present holder whose name comes first.
//   The roll      Where the plan says `by_vote`, lives are counted instead of names, and the holder that
//   comes
//                 first proposes each change to the others: a majority decides (roll.hpp, seat_vote.hpp).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/context.hpp"
#include "core/protocol/links.hpp"
#include "core/protocol/membership.hpp"
#include "core/protocol/messages.hpp"
#include "core/protocol/seat_vote.hpp"
#include "core/protocol/seats.hpp"
#include "processhub/result.hpp"
#include "processhub/strategy/partition_tolerance.hpp"

namespace processhub::protocol {

class QuorumEvents {
 public:
  virtual ~QuorumEvents() = default;
  /// Lost, or regained; or none at first, and then there.
  virtual void on_quorum(bool has) = 0;
  /// Others held this node down, unnoticed here: they may run by now what runs here.
  virtual void on_held_down(NodeId by) = 0;
};

class Quorum : private SeatVoteEvents {
 public:
  Quorum(Context& context, Links& links, Membership& membership, const PartitionTolerance& strategy,
         QuorumEvents& events);

  void on_member_up(NodeId node);
  void on_member_gone(NodeId node, bool left);
  void on(NodeId from, const QuorumProbe& probe);
  void on(NodeId from, const QuorumReply& reply);
  void on(NodeId from, const SeatList& list);
  void on(NodeId from, const RollNews& news);
  void tick();
  Time next_deadline() const;
  /// The view has changed.
  void check();
  /// Perhaps what it waits for has come.
  void look_again() {
    if (waits_) check();
  }
  /// This node is about to say that it leaves.
  void leave();
  /// By hand: from now on exactly the nodes up here are counted.
  Result<void> reset_size();

  bool asked_for() const { return plan_.lease > Duration(0); }
  bool lost() const { return lost_; }
  /// Before the present change: only who had one can lose it, and have it back.
  bool had() const { return had_; }
  /// This node has had a quorum, or knows that it has none.
  bool decided() const { return decided_ || !asked_for(); }
  /// No turn of a worker starts later.
  Time turns_until() const { return asked_for() ? turns_until_ : kNever; }
  /// A node out of reach may still run what it ran: nothing is taken over.
  bool must_wait() const;
  SeatVote& vote() { return vote_; }
  /// Somebody here is to be let in, or to go, by a vote that is not over.
  bool votes() const;
  /// Who is counted: names, or lives as "name/incarnation".
  std::vector<std::string> counted() const;

 private:
  struct Peer {
    Time proven{Time::min()};              ///< the latest moment at which something it answered was sent
    std::optional<std::uint64_t> seats{};  ///< digest of those it knows
    std::uint32_t losses = 0;              ///< of this node, as it said last
    std::uint64_t root = 0;                ///< of its roll
    std::uint64_t epoch = 0;
  };
  Duration hold() const { return plan_.lease + plan_.lease / 10; }  ///< with a margin for clocks that drift
  using Names = std::set<std::string_view>;
  bool counts(NodeId peer) const;
  Names present() const;
  QuorumView view() const;
  Time lease_of(std::size_t needed) const;
  void decide();
  void time_the_lost();
  bool alike() const;
  bool change_seats();
  bool form();
  bool has_seat(NodeId life) const;
  bool is_formed() const { return plan_.by_vote ? roll_.formed() : seats_.formed(); }
  std::uint64_t digest() const { return plan_.by_vote ? roll_.digest() : seats_.digest(); }
  bool held() const { return decided_ && !lost_; }
  bool has_come(NodeId life) const;
  bool proposes() const;
  SeatChange next_change() const;
  bool advance_roll();
  void warn_if_hopeless(const std::vector<NodeId>& asked);
  void adopt(Roll roll);
  bool counts_more(const RollNews& news) const;
  void send_vote(NodeId to, const SeatMessage& m) override;
  void on_decided(const SeatChange& change) override;
  void reset_roll();
  bool admit();
  bool forget_lost(const Names& here);
  void tell();
  void tell_seats(NodeId peer);
  void probe(NodeId peer);

  Context& ctx_;
  Links& links_;
  Membership& membership_;
  const PartitionTolerance& strategy_;
  QuorumEvents& events_;
  const QuorumPlan plan_;
  std::map<NodeId, Peer> peers_{};  ///< members that are up
  /// Lost lives that may still run what they ran, until then. kNever: the view without them is not agreed.
  std::map<NodeId, Time> out_of_reach_{};
  std::map<NodeId, std::uint32_t> losses_{};  ///< how often each life was lost
  Seats seats_{};
  Roll roll_{};
  SeatVote vote_;
  std::uint64_t hopeless_ = 0;                               ///< key of the roll of which that was said
  std::map<std::string, Time, std::less<>> absent_since_{};  ///< holders of seats
  bool decided_ = false;
  bool lost_ = false;
  bool had_ = false;
  bool waits_ = true;  ///< for an agreement, an answer, or time to pass
  Time turns_until_{Time::min()};
  Time probe_due_{};
};

}  // namespace processhub::protocol
