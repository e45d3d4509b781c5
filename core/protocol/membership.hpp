// Membership: who this node believes up (the view), how it came to believe it, and whether all members of the
// view agree. Every node judges for itself: silence or a refused connection makes a suspect, probes (direct
// and through others) decide.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/protocol/context.hpp"
#include "core/protocol/links.hpp"
#include "core/protocol/messages.hpp"
#include "processhub/strategy/view.hpp"

namespace processhub::protocol {

enum class Liveness : std::uint8_t { known, up, suspect, down, left };

struct Member {
  MemberRecord record{};
  Liveness liveness = Liveness::known;
  Time last_heard{};     ///< anything from it, or a helper's word that it lives
  Time suspect_until{};  ///< down at this time unless it answers
  Time probe_due{};      ///< while suspect: the next probes
  Time up_since{};
  Time down_since{};
  bool refused = false;     ///< the suspicion began with a refused connection
  bool indirect = false;    ///< suspect here, but others reach it: its session is relayed
  NodeId told_by{};         ///< who last said that it is up
  Heartbeat last{};         ///< its newest announcement
  bool announced = false;   ///< `last` is from this life of the session
  bool asks = false;        ///< came by a configured address: it wants to know who else there is
  bool accused = false;     ///< suspect only because somebody said so, who has told the others, too
  std::uint64_t share = 0;  ///< what it adds to the digest of the view; 0: not in it
};

/// What the rest of the core does when the view changes.
class MembershipEvents {
 public:
  virtual ~MembershipEvents() = default;
  virtual void on_member_up(NodeId node) = 0;
  virtual void on_member_gone(NodeId node, bool left) = 0;  ///< down or left
  virtual void on_suspicion() = 0;                          ///< a member became suspect, or is none any more
  /// A member, perhaps this node, is synced or leaves; the change of the view follows.
  virtual void on_status(NodeId node, MemberStatus status) = 0;
  virtual void on_view_changed() = 0;  ///< owners may differ now
  virtual void on_heartbeat(NodeId node, const Heartbeat& heartbeat) = 0;
  virtual Heartbeat own_heartbeat() = 0;  ///< table and spec parts filled in
  virtual void publish_heartbeat() = 0;   ///< as soon as the deltas before it are out
  virtual void gossip() = 0;              ///< show the digests to the next few members
  virtual void publish_news(const MemberNews& news) = 0;
  virtual bool synced_with(NodeId node) = 0;  ///< its snapshot is complete here
  virtual void terminate(const std::string& why) = 0;
};

class Membership {
 public:
  Membership(Context& context, Links& links, MembershipEvents& events);

  void start();
  LinkEvents::Admission on_hello(const Hello& hello);
  void on_own_endpoint(const std::string& endpoint);
  void on_session_up(NodeId node);
  void on_session_end(NodeId node);
  void on_heard(NodeId node);      ///< over the session, directly
  void on_published(NodeId node);  ///< its publications arrive: it lives, but the way to it may be blocked
  void on_heard_through(NodeId node);
  void on_link_lost(NodeId node, bool refused);
  void on_stranger_gone(NodeId node);
  void on_refused(const Refusal& refusal);
  void on(NodeId from, const Heartbeat& heartbeat);
  void on(NodeId from, const MemberNews& news);
  void on(NodeId from, const Members& members);
  void on(NodeId from, const Leaving& leaving);
  void on(NodeId from, const Probe& probe);
  void on(NodeId from, const ProbeReply& reply);
  void tick();
  Time next_deadline() const;

  /// After a stall nothing heard so far counts; silence is measured from now.
  void forgive_silence();
  void set_status(MemberStatus status);
  MemberStatus status() const { return self_.status; }
  bool joined() const { return self_.status != MemberStatus::joining; }
  MemberRecord self_record() const { return self_; }
  void say_leave(std::uint64_t table_version);
  /// JOINING ends when every seed has told what it knows, or is silent for join_timeout.
  void check_joined();

  const std::map<NodeId, Member>& members() const { return members_; }
  bool is_up(NodeId node) const;  ///< in the view (self included)
  static bool is_up(const Member& member) {
    return member.liveness == Liveness::up || member.liveness == Liveness::suspect;
  }
  bool is_gone(NodeId node) const;     ///< down, left, or an earlier life of a member that is up
  bool has_left(NodeId node) const;    ///< left, or a newer life of its name was met
  bool said_leave(NodeId node) const;  ///< by itself, and no later life is known
  /// Drops earlier lives of names that nothing refers to any more; which they were.
  std::vector<NodeId> forget_superseded(const std::function<bool(NodeId)>& needed);
  std::vector<NodeId> up_peers() const;  ///< the view without self, ordered
  /// A member of the view has this address, perhaps in the place of one that is gone.
  bool publishes(const std::string& pub) const;
  /// Those whose subscriptions may not have taken effect yet.
  std::vector<NodeId> fresh_peers() const;
  std::size_t up_count() const;
  /// Somebody is joining, or the last other member went so recently that it may be on its way back: a rolling
  /// restart that does not wait between two nodes.
  bool newcomer_expected() const;
  std::uint64_t view_digest() const { return digest_; }
  /// Moves with every heartbeat and every change of the view.
  std::uint64_t changes() const { return changes_; }
  /// All members of the view announced this very view.
  bool agreed() const;
  HubView eligible_view() const;
  /// The worker types of the members of an eligible_view().
  TypeOffers offers(const HubView& view) const;
  std::optional<NodeId> find_hash(std::uint64_t node_hash) const;
  std::vector<NodeInfo> infos() const;

 private:
  struct PendingProbe {
    NodeId asker{};
    NodeId target{};
    std::uint64_t nonce = 0;
    Time until{};
  };
  bool superseded(NodeId node) const;
  void end_earlier_lives(NodeId node);
  void make_up(Member& member);
  void make_gone(Member& member, bool left, const std::string& why);
  void suspect(Member& member, bool refused);
  bool blocked(NodeId node) const;
  bool silent(const Member& member) const;
  std::vector<NodeId> worth_watching() const;
  void accuse(Member& member);
  void probe(Member& member);
  void ask_helpers(const Member& member);
  void still_alive(Member& member);
  void tell_members(NodeId peer);
  void clear_suspicion(Member& member);
  /// To be called for a member whose place in the view, or status, may have changed.
  void count(Member& member);
  void refresh_digest();
  void learn(const MemberRecord& record);
  void check_seeds();
  void discover();
  void check_silence();
  Time silence_due() const;
  void answer_helpers(NodeId target, Verdict verdict);
  const Member* up_life_of(NodeId node) const;

  Context& ctx_;
  Links& links_;
  MembershipEvents& events_;
  MemberRecord self_{};
  std::map<NodeId, Member> members_{};
  std::map<std::uint64_t, NodeId> by_hash_{};
  std::set<NodeId> watched_{};        ///< suspects, and members without a session
  std::vector<std::string> seeds_{};  ///< configured, without our own address
  std::map<std::string, bool> own_seeds_{};
  std::vector<PendingProbe> helping_{};
  struct Challenge {
    NodeId newcomer{};
    std::uint64_t probe =
        0;                  ///< sent because of the newcomer: only its answer proves that the old life lives
    bool answered = false;  ///< the old life has proved itself since
  };
  std::map<NodeId, Challenge> challengers_{};  ///< old life -> newcomer that waits for the verdict on it
  std::uint64_t digest_ = 0;
  std::uint64_t sum_ = 0;  ///< of the members' shares
  std::uint64_t changes_ = 0;
  std::uint64_t next_probe_ = 0;
  Time heartbeat_due_{};
  Time discover_due_{};
  Time started_{};
  bool warned_alone_ = false;
  std::set<std::string> refusals_{};  ///< told already
};

}  // namespace processhub::protocol
