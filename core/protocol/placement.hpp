// Placement: the reconciler. It compares what should run where (owners of every live spec under the current
// view) with what does run (the tables), and issues the difference as small steps that are safe to repeat:
// start here, ask for a child, stop here, release. Nothing else starts or moves a child. Rules: DESIGN §9.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "core/protocol/balancer.hpp"
#include "core/protocol/containers.hpp"
#include "core/protocol/context.hpp"
#include "core/protocol/handover.hpp"
#include "core/protocol/links.hpp"
#include "core/protocol/membership.hpp"
#include "core/protocol/move_news.hpp"
#include "core/protocol/quorum.hpp"
#include "core/protocol/registry.hpp"
#include "core/protocol/replication.hpp"
#include "core/protocol/report.hpp"
#include "core/protocol/supervisor.hpp"
#include "core/protocol/zone_spread.hpp"
#include "processhub/strategy_catalog.hpp"

namespace processhub::protocol {

class PlacementEvents {
 public:
  virtual ~PlacementEvents() = default;
  virtual void on_redistribution_begin() = 0;
  virtual void on_redistribution_end() = 0;
  virtual void remove_child(Child& child) = 0;  ///< for good, told to everybody
};

/// What the distribution may look at.
ChildKey key_of(const Child& child);

class Placement {
 public:
  Placement(Context& context, Registry& registry, Links& links, Membership& membership,
            Replication& replication, Supervisor& supervisor, const Quorum& quorum, Handover& handover,
            Balancer& balancer, StrategySet& strategies, PlacementEvents& events);

  /// Owners under the current view, best first, for a child that is about to be.
  std::vector<NodeId> owners_for(const ChildSpec& spec);
  /// Asks who knows best where so many new children go; the answer, if it comes, is a LoadBoard.
  bool ask_for_places(std::uint64_t number, std::size_t count) { return balancer_.ask(number, count); }
  /// As the leader: moves children though all nodes live, if that is wanted.
  void rebalance();
  /// Whether such a child can be started, as the distribution sees it.
  Result<void> check(const ChildSpec& spec) const;
  /// What the nodes lack that would be needed to run it.
  std::string nobody_has(const ChildSpec& spec) const;
  /// The member of this name, if it may run such a child; else why not.
  Result<NodeId> target(std::string_view name, const Child& child) const;
  bool has_eligible() const { return !view_.members.empty(); }

  /// The owners are to be found again.
  void on_view_changed();
  /// Looks at the view if it has changed since: once a turn, however many members came and went in it.
  bool look();
  void on_spec_added(Child& child);
  /// Stopped by hand: for good, told to everybody.
  void remove(Child& child) { events_.remove_child(child); }
  void enqueue(Child& child);
  /// Something children wait for may have come true (agreement, a complete table).
  void recheck();
  void on_session_end(NodeId peer);
  void on_started(const Uid& uid);
  /// A move from here came to nothing.
  void on_stays(const Uid& uid) { news_.stays(uid); }
  bool may_stay(const Uid& uid) const;
  /// Its worker on this node is gone; `live`: the child is not.
  void on_ended(const Uid& uid, const std::string& id, bool live) { news_.ended(uid, id, live); }
  void on(NodeId from, const Reserve& reserve);
  void on(NodeId from, const ReserveReply& reply);
  void on(NodeId from, const MoveRequest& request);

  /// Every child is judged again.
  void reconsider_all();
  /// While false nothing starts, stops or moves (a node that was away and does not know what it may run, or
  /// is no part of a quorum).
  void set_active(bool active);
  /// While frozen, children stay where they are, and those of lost nodes wait; what somebody asked for by
  /// hand (a migration, a drain, a leave) goes on.
  void freeze(bool frozen);
  /// This node keeps what nobody can take, though it gives its children away.
  void keep_without_heir(bool keep) { keeps_without_heir_ = keep; }
  /// Why this node does not start a child that it owns; empty: it runs here, or it is not decided here.
  std::string why_waiting(const Child& child) const;
  /// Who may run it in which order, and who may not and why.
  void explain(const Child& child, ChildReport& out) const;

  /// A slice of reconciliation; true if more is to do.
  bool work(std::size_t budget);
  /// Requests that were collected in this turn.
  void flush();
  void tick();
  Time next_deadline() const;
  bool busy() const { return recomputing_ || (active_ && !queue_.empty()); }
  bool has_work() const { return (recomputing_ && !view_changed_) || (active_ && !queue_.empty()); }
  std::size_t waiting() const { return waiting_.size(); }
  std::size_t moves() const { return moves_.size(); }  ///< asked for by this node
  bool settled() const;  ///< agreed, every table is current, and nobody out of reach may still run something
  /// Children that this node has asked for, and whose handover has not begun.
  void list_moves(std::vector<MoveInfo>& out) const;

 private:
  struct Batch {
    std::vector<std::pair<Uid, std::uint64_t>> items{};
    std::vector<NodeId> missing{};  ///< peers that have not confirmed
    bool everywhere = false;        ///< all members were asked
  };
  struct Move {
    NodeId from{};
    Time until{};
    Time ask_again{};  ///< unless the source has begun by then
    Time since{};
  };

  void find_owners(const ChildKey& key, const ChildSpec& kind, std::vector<NodeId>& out) const;
  void find_able(const ChildKey& key, const ChildSpec& kind, std::vector<NodeId>& out) const;
  bool has_role(NodeId node, const std::string& role) const;
  std::string unable(NodeId node, const ChildSpec& kind) const;
  void count(Child& child, bool counted);
  void write_down(Child& child);
  void shift(const LoadShift& shift);
  bool may_shift(const Child& child, const LoadShift& shift) const;
  void recompute(Child& child);
  bool owner_stays(const Child& child) const;
  void note_newcomers(const HubView& view);
  void finish_recompute();
  void evaluate(Child& child);
  void evaluate_running(Child& child, LocalChild& local);
  void evaluate_frozen(Child& child);
  void evaluate_prepared(Child& child, LocalChild& local);
  void evaluate_missing(Child& child);
  bool is_held(const Child& child, const Entry* other) const;
  void evaluate_foreign(Child& child);
  void wait(Child& child);
  bool is_owner(const Child& child, NodeId node) const;
  bool resolve_conflict(Child& child);
  const Entry* other_lister(const Child& child) const;
  bool first_unresolved(const Child& child) const;
  bool temporary_lost(const Child& child) const;
  bool gone_for_good(const Child& child) const;
  void take_over(Child& child);
  void ask_for(Child& child, NodeId from);
  NodeId last_runner(const Child& child) const;
  bool may_start(Child& child, std::uint64_t epoch);
  bool must_ask_all(const Child& child) const;
  bool still_here(const Child& child, NodeId to) const;
  void give_back(std::uint64_t batch);
  void reserve(std::vector<std::pair<Uid, std::uint64_t>> items, bool everywhere);
  void announce_takeovers(const Batch& batch);
  void ask_for_next();
  void count_move(const Uid& uid);
  void confirm(std::uint64_t batch);
  void start_batch(Batch& batch);
  NodeId giver(const Child& child) const;
  bool may_take(const Child& child) const;
  bool all_owners_run(const Child& child) const;
  bool is_surplus(const Child& child) const;
  bool runs_elsewhere(const Child& child) const;
  bool active_elsewhere(const Child& child) const;
  Role role_among(const Child& child, NodeId node, const SmallVector<NodeId, 2>& owners) const;
  Role start_role(const Child& child, const SmallVector<NodeId, 2>& owners) const;
  void evaluate_missing_replica(Child& child);
  void evaluate_replica(Child& child, LocalChild& local);
  const Entry* beaten_by(const Child& child) const;
  bool is_outlived(const Child& child, const LocalChild& local) const;
  bool runs_without(const Child& child, NodeId asker) const;
  void add_last_runners(const Batch& batch, std::vector<NodeId>& peers) const;
  bool may_thaw(const Child& child, std::uint64_t epoch);
  bool may_promote(const Child& child, std::uint64_t epoch);

  Context& ctx_;
  Registry& registry_;
  Links& links_;
  Membership& membership_;
  Replication& replication_;
  Supervisor& supervisor_;
  const Quorum& quorum_;
  Handover& handover_;
  Balancer& balancer_;
  StrategySet& strategies_;
  PlacementEvents& events_;
  HubView view_{};
  TypeOffers offers_{};
  ZoneSpread zones_{};
  bool alike_ = true;  ///< all members offer the same types
  std::size_t replicas_ = 1;
  bool replicated_ = false;  ///< a child may run on several nodes
  std::vector<NodeId> scratch_{};
  std::deque<Slot> queue_{};
  std::vector<Uid> waiting_{};  ///< cannot be decided yet
  bool active_ = true;
  bool frozen_ = false;
  bool keeps_without_heir_ = false;
  // Since the last time that all owners were known:
  bool view_changed_ = false;
  Time look_due_{};  ///< not before
  std::vector<NodeId> newcomers_{};
  bool only_members_changed_ =
      false;  ///< every earlier owner that is still in the view beats all but newcomers
  HashSet<NodeId, NodeIdHash> in_view_{};
  bool recomputing_ = false;
  Slot cursor_ = 0;
  std::map<std::uint64_t, Batch> batches_{};
  std::vector<std::pair<Uid, std::uint64_t>> reserving_now_{};
  HashMap<Uid, std::uint64_t, UidHash> reserving_{};  ///< uid -> batch
  std::map<NodeId, std::vector<UidEpoch>> asking_{};
  std::map<Uid, Move> moves_{};
  MoveNews news_{};
  std::deque<Uid> throttled_{};  ///< would have been one move too many; they are in waiting_, too
  std::uint64_t last_batch_ = 0;
  Time retry_due_{kNever};
};

}  // namespace processhub::protocol
