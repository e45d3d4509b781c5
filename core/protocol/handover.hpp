// Handover: children that move with their state. Placement decides who asks and whether a child may start;
// from there each move is two rows, one at its source and one at its target, and a few messages between them:
//
//   target             source
//   MoveRequest   ->                 (Placement)
//                      freeze: the worker saves its state, its row says moving, messages wait
//                 <-   HandoverState
//   reserve an epoch, build the worker, load the state
//   HandoverReady ->
//                 <-   the messages that wait, HandoverCommit
//   run                stop, once the target lists the child
//
// The source keeps the frozen worker until then: if the target is gone before, the worker goes on (under a
// higher epoch if the target may have run). A target that is ready and sees its source gone runs, if the
// child is still its own to take. Each step is repeated until the next one follows, and harmless if repeated.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/protocol/context.hpp"
#include "core/protocol/links.hpp"
#include "core/protocol/membership.hpp"
#include "core/protocol/registry.hpp"
#include "core/protocol/report.hpp"
#include "core/protocol/supervisor.hpp"
#include "processhub/strategy/migration.hpp"

namespace processhub::protocol {

class HandoverEvents {
 public:
  virtual ~HandoverEvents() = default;
  virtual void on_handover_step(Child& child) = 0;  ///< it is to be judged again
  virtual void forward_held(const std::string& id, NodeId to) = 0;
  virtual void on_stays(const Uid& uid) = 0;        ///< the move came to nothing
  virtual bool may_stay(const Uid& uid) const = 0;  ///< false: others run it, and it ends instead
};

class Handover {
 public:
  Handover(Context& context, Registry& registry, Links& links, Membership& membership, Supervisor& supervisor,
           MovePlan plan, HandoverEvents& events);

  bool hot() const { return plan_.hot; }
  std::size_t incoming() const { return incoming_.size(); }
  std::size_t outgoing() const { return outgoing_.size(); }

  // -- at the source
  enum class Giving : std::uint8_t { begun, under_way, not_now };
  /// `to` asks for a child that runs here, or that is on its way.
  Giving give(const LocalChild& local, NodeId to);
  /// Of a frozen child: what became of it.
  enum class Fate : std::uint8_t { wait, taken, back };
  Fate fate(const Child& child, bool beaten);
  /// It lost against the instance on `winner`, which gets its state, once. False: it may end.
  bool merge_into(const LocalChild& local, NodeId winner);
  NodeId goes_to(const Uid& uid) const;
  /// Of a frozen child: its state was to be merged into another instance.
  bool merges(const Uid& uid) const;
  /// Of a frozen child that `winner` runs under a higher generation: not because it was handed over.
  bool is_lost(const Uid& uid, NodeId winner) const;
  /// It goes on here.
  void thaw(LocalChild& local, std::uint64_t epoch);

  // -- at the target
  /// The state of a child that `from` lists is here.
  bool holds(const Uid& uid, NodeId from) const;
  bool has_begun(const Uid& uid) const { return incoming_.contains(uid); }
  /// Builds the worker with it. False: there is none.
  bool prepare(const Child& child, std::uint64_t epoch, Role role);
  /// The child belongs elsewhere by now: its source may keep it.
  void decline(const Uid& uid);
  /// Of a prepared child: its source is gone, and it could run.
  bool is_heir(const Uid& uid) const;
  void activate(LocalChild& local);
  /// While false nothing starts (a node that was away and does not know what it may run).
  void set_active(bool active) { active_ = active; }
  /// A child has one instance: what loses against another one stops.
  void set_one_instance(bool one) { one_instance_ = one; }

  /// Its worker here has ended.
  void forget(const Uid& uid);
  void on_frozen(const LocalChild& local, event::WorkerFrozen& frozen);
  void on_freeze_failed(const LocalChild& local, const event::WorkerFrozen& answer);
  void on_prepared(const LocalChild& local);
  void on_prepare_failed(const LocalChild& local, const std::string& why);
  void on(NodeId from, HandoverState& m);
  void on(NodeId from, const HandoverReady& m);
  void on(NodeId from, const HandoverCommit& m);
  void on(NodeId from, const HandoverAbort& m);
  /// What is under way, in order of uid.
  void list(std::vector<MoveInfo>& out) const;
  void on_session_end(NodeId peer);
  void on_member_gone(NodeId node);
  void flush();
  void tick();
  Time next_deadline() const;

 private:
  static constexpr Duration kRepeat = std::chrono::milliseconds(300);  ///< of a step that nothing followed

  enum class Phase : std::uint8_t {
    freezing,   ///< source: asked its worker to
    frozen,     ///< source: sends, or has sent, the state
    committed,  ///< source: the target may run
    arriving,   ///< target: not all of the state is here
    here,       ///< target: all of it is
    preparing,  ///< target: the worker is being built
    ready,      ///< target: waits to be told to run
  };
  struct Outgoing {
    NodeId to{};
    std::uint64_t serial = 0;
    std::uint64_t attempt = 0;
    Phase phase = Phase::freezing;
    bool has_state = false;
    bool queued = false;   ///< in sending_
    bool held = false;     ///< its worker takes no messages any more
    bool merging = false;  ///< `to` runs it already
    bool merged = false;
    bool refused = false;  ///< the target took it back after the commit
    Bytes state{};
    std::uint64_t sent = 0;  ///< bytes, in this session
    bool all_sent = false;
    std::uint64_t epoch = 0;  ///< the target's
    Time due = kNever;        ///< the end of patience, or the next repetition
    Time kept_until = kNever;
    Time since{};
  };
  struct Incoming {
    NodeId from{};
    Generation source{};
    std::uint64_t attempt = 0;
    Phase phase = Phase::arriving;
    bool has_state = false;
    std::shared_ptr<Bytes> state{};  ///< until the worker has it
    std::uint64_t epoch = 0;
    Time due = kNever;  ///< the next repetition
    Time since{};
  };

  void list_one(const Uid& uid, NodeId from, NodeId to, Phase phase, Time since,
                std::vector<MoveInfo>& out) const;
  Outgoing& begin(const LocalChild& local, NodeId to);
  void on_merge(NodeId from, HandoverState& m);
  Outgoing* outgoing(const Uid& uid);
  Incoming* incoming(const Uid& uid);
  void send_state(const Uid& uid, Outgoing& out);
  bool outdated(const Uid& uid, const Incoming& in) const;
  bool loser_runs(const Uid& uid, const Incoming& in) const;
  bool send_pieces(const Uid& uid, Outgoing& out, std::uint64_t& budget);
  void undo(const Uid& uid, const std::string& why);
  void refuse(const LocalChild& local, const std::string& why);
  void commit(const Uid& uid, Outgoing& out);
  void say_ready(const Uid& uid, Incoming& in);
  void later(const Uid& uid);
  void touch(const Uid& uid);
  void begin_looking();
  void on_overdue(const Uid& uid, Outgoing& out);

  Context& ctx_;
  Registry& registry_;
  Links& links_;
  Membership& membership_;
  Supervisor& supervisor_;
  MovePlan plan_;
  HandoverEvents& events_;
  std::map<Uid, Outgoing> outgoing_{};
  std::map<Uid, Incoming> incoming_{};
  struct Merging {
    std::uint64_t attempt = 0;
    Bytes state{};
  };
  std::map<std::pair<Uid, NodeId>, Merging> merging_{};  ///< states that are not all here
  std::map<Uid, std::set<Generation>> merged_{};         ///< of instances that lost against ours
  std::map<Uid, Time> not_before_{};  ///< moves that came to nothing are not tried again at once
  std::deque<Uid> sending_{};
  Time send_due_ = kNever;
  Time look_due_ = kNever;
  std::uint64_t last_attempt_ = 0;
  bool one_instance_ = true;
  bool active_ = true;
};

}  // namespace processhub::protocol
