// HubCore::Parts: the parts of a hub and the wiring between them. It holds no protocol state of its own
// beyond the few switches that concern several parts (leaving, stalled); everything else is routing.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/protocol/balancer.hpp"
#include "core/protocol/call_router.hpp"
#include "core/protocol/context.hpp"
#include "core/protocol/event_queue.hpp"
#include "core/protocol/gossip.hpp"
#include "core/protocol/handover.hpp"
#include "core/protocol/hub_core.hpp"
#include "core/protocol/links.hpp"
#include "core/protocol/membership.hpp"
#include "core/protocol/placement.hpp"
#include "core/protocol/publications.hpp"
#include "core/protocol/quorum.hpp"
#include "core/protocol/registry.hpp"
#include "core/protocol/replication.hpp"
#include "core/protocol/report.hpp"
#include "core/protocol/requests.hpp"
#include "core/protocol/static_children.hpp"
#include "core/protocol/supervisor.hpp"
#include "core/protocol/topics.hpp"

namespace processhub::protocol {

class HubCore::Parts final : public Registry::Listener,
                             public LinkEvents,
                             public MembershipEvents,
                             public ReplicationEvents,
                             public SupervisorEvents,
                             public QuorumEvents,
                             public HandoverEvents,
                             public PlacementEvents {
 public:
  Parts(Identity identity, HubConfig config, StrategySet strategies);

  // -- driven by HubCore
  void begin(Time now, Effects& fx);
  void start();
  void handle(Event&& event);
  bool run(std::size_t slice);
  void flush();
  Time next_deadline() const;
  ClusterSnapshot snapshot();
  void measure();
  /// `child`: an id to tell more of; may be empty.
  std::shared_ptr<const Report> report(const std::string& child);

  // -- events
  void on(event::LinkFrame& e) { links.on(e); }
  void on(event::RouteFrame& e) { links.on(e); }
  void on(event::Publication& e);
  void on(event::LinkUp& e) { links.on(e); }
  void on(event::LinkDown& e) { links.on(e); }
  void on(event::SendRefused& e) { links.on(e); }
  void on(event::TimerDue&) {}
  void on(event::StartChildren& e);
  void on(event::StopChildren& e);
  void on(event::UpdateMetadata& e);
  void on(event::RestartChild& e);
  void on(event::MigrateChild& e);
  void on(event::ResetClusterSize& e) { ctx.emit(effect::CompleteVoid{e.token, quorum.reset_size()}); }
  void on(event::Operate& e);
  void on(event::CallChild& e) { calls.on(std::move(e)); }
  void on(event::CastChild& e) { calls.on(std::move(e)); }
  void on(event::Broadcast& e) { calls.on(std::move(e)); }
  void on(event::PublishTopic& e) { topics.on(std::move(e)); }
  void on(event::SubscribeTopic& e) { topics.on(e); }
  void on(event::UnsubscribeTopic& e) { topics.on(e); }
  void on(event::LockQueue& e);
  void on(event::UnlockQueue& e);
  void on(event::DispatchEvent& e);
  void on(event::LeaveCluster& e);
  void on(event::WorkerUp& e) { supervisor.on(e); }
  void on(event::RoleTaken& e) { supervisor.on(e); }
  void on(event::WorkerFrozen& e) { supervisor.on(e); }
  void on(event::WorkerPrepared& e) { supervisor.on(e); }
  void on(event::WorkerDown& e) {
    topics.forget({SubscriberKind::worker, e.serial});
    supervisor.on(e);
  }
  void on(event::Undelivered& e);
  void on(event::WorkerAnswer& e) { calls.on(std::move(e)); }
  void on(event::LoadMeasured& e);
  void on(event::AdminAnswer& e);

  // -- messages; a type without an overload does not compile
  void on(NodeId from, Heartbeat& m) {
    membership.on(from, m);
    unchecked_ = true;
  }
  void on(NodeId from, SpecDelta& m) { replication.on(from, m); }
  void on(NodeId from, TableDelta& m) { replication.on(from, m); }
  void on(NodeId from, MemberNews& m);
  void on(NodeId from, UserNews& m) {
    handle(event::DispatchEvent{std::move(m.event), std::move(m.body), Scope::local,
                                static_cast<int>(m.priority), from});
  }
  void on(NodeId from, Members& m) { membership.on(from, m); }
  void on(NodeId from, Leaving& m);
  void on(NodeId from, Farewell& m);
  void on(NodeId from, Probe& m) { membership.on(from, m); }
  void on(NodeId from, ProbeReply& m) { membership.on(from, m); }
  void on(NodeId from, PubAck& m) { replication.on(from, m); }
  void on(NodeId from, Pull& m) { replication.on(from, m); }
  void on(NodeId from, PullChunk& m) { replication.on(from, m); }
  void on(NodeId from, Reserve& m) { placement.on(from, m); }
  void on(NodeId from, ReserveReply& m) { placement.on(from, m); }
  void on(NodeId from, MoveRequest& m) { placement.on(from, m); }
  void on(NodeId, StartFailed& m) { requests.on_start_failed(m.uid, m.why); }
  void on(NodeId from, CallRequest& m) { calls.on(from, std::move(m)); }
  void on(NodeId from, CallReply& m) { calls.on(from, std::move(m)); }
  void on(NodeId, AdminRequest&) {}
  void on(NodeId, AdminReply&) {}
  void on(NodeId from, Relay& m) { links.on(from, m); }
  void on(NodeId from, Digests& m) { gossiping.on(from, m, own_heartbeat()); }
  void on(NodeId from, Heard& m) { gossiping.on(from, m, own_heartbeat()); }
  void on(NodeId, Rumours& m) {
    gossiping.on(m);
    unchecked_ = true;
  }
  void on(NodeId from, QuorumProbe& m) { quorum.on(from, m); }
  void on(NodeId from, QuorumReply& m) { quorum.on(from, m); }
  void on(NodeId from, SeatList& m) { quorum.on(from, m); }
  void on(NodeId from, RollNews& m) { quorum.on(from, m); }
  void on(NodeId from, SeatPrepare& m) { quorum.vote().on(from, m); }
  void on(NodeId from, SeatPromise& m) { quorum.vote().on(from, m); }
  void on(NodeId from, SeatAccept& m) { quorum.vote().on(from, m); }
  void on(NodeId from, SeatAccepted& m) { quorum.vote().on(from, m); }

  void on(NodeId from, HandoverState& m) { handover.on(from, m); }
  void on(NodeId from, HandoverReady& m) { handover.on(from, m); }
  void on(NodeId from, HandoverCommit& m) { handover.on(from, m); }
  void on(NodeId from, HandoverAbort& m) { handover.on(from, m); }

  void on(NodeId from, LoadReport& m) { balancer.on(from, m); }
  void on(NodeId from, LoadBoard& m) {
    balancer.on(from, m);
    requests.on_load_told(static_cast<std::uint32_t>(m.ask));
  }
  void on(NodeId from, LoadAsk& m) { balancer.on(from, m); }

  void on(NodeId from, TopicNews& m) { topics.on(from, std::move(m)); }
  void on(NodeId from, TopicMark& m) { topics.on(from, m); }
  void on(NodeId from, TopicAsk& m) { topics.on(from, m); }
  void on(NodeId from, TopicReplay& m) { topics.on(from, std::move(m)); }

  // -- Registry::Listener
  void on_child_changed(Child& child) override;
  // -- LinkEvents
  Admission on_hello(const Hello& hello) override { return membership.on_hello(hello); }
  void on_own_endpoint(const std::string& endpoint) override { membership.on_own_endpoint(endpoint); }
  void on_session_up(NodeId peer) override;
  void on_session_end(NodeId peer) override;
  void on_peer_message(NodeId peer, Message message) override;
  void on_peer_call(NodeId peer, CallRequest request) override { calls.on(peer, std::move(request)); }
  void on_peer_reply(NodeId peer, CallReply reply) override { calls.on(peer, std::move(reply)); }
  void on_heard(NodeId peer) override { membership.on_heard(peer); }
  void on_heard_through(NodeId peer) override { membership.on_heard_through(peer); }
  void on_link_lost(NodeId peer, bool refused) override { membership.on_link_lost(peer, refused); }
  void on_stranger_gone(NodeId peer) override { membership.on_stranger_gone(peer); }
  void on_refused(const Refusal& refusal) override { membership.on_refused(refusal); }
  void on_client_request(std::uint64_t client, AdminRequest request) override;
  void on_client_call(std::uint64_t client, CallRequest request) override {
    calls.on_client(client, std::move(request));
  }
  MemberRecord self_record() override;
  // -- MembershipEvents
  void on_member_up(NodeId node) override;
  void on_member_gone(NodeId node, bool left) override;
  void on_suspicion() override { note_change(); }
  void on_status(NodeId node, MemberStatus status) override;
  void on_view_changed() override;
  void on_heartbeat(NodeId node, const Heartbeat& h) override {
    replication.on_heartbeat(node, h);
    note_freeze(h.freeze);
  }
  Heartbeat own_heartbeat() override;
  void publish_heartbeat() override { heartbeat_wanted_ = true; }
  void gossip() override { gossiping.round(own_heartbeat()); }
  void publish_news(const MemberNews& news) override { publications.publish(news); }
  bool synced_with(NodeId node) override { return replication.complete(node); }
  void terminate(const std::string& why) override;
  // -- ReplicationEvents
  void on_spec_added(Child& child) override { placement.on_spec_added(child); }
  void on_acknowledged(NodeId, std::uint64_t) override { requests.on_acknowledged(); }
  void on_static(const StaticValue& value) override { statics.merge(value); }
  std::vector<StaticValue> statics_known() override { return statics.values(); }
  std::uint64_t spec_digest() override { return registry.spec_digest() + statics.digest(); }
  void on_peer_complete(NodeId peer) override;
  // -- SupervisorEvents
  void on_running(const LocalChild& child) override;
  void on_stopped(const LocalChild& child, std::vector<PostedMessage> leftovers) override;
  void on_start_failed(const LocalChild& child, const std::string& why) override;
  void on_failed(const LocalChild& child, const std::string& why) override;
  void on_finished(const LocalChild& child) override;
  void on_undelivered(std::vector<PostedMessage> messages, const std::string& id) override;
  // -- QuorumEvents
  void on_quorum(bool has) override;
  void on_held_down(NodeId by) override;
  void on_frozen(const LocalChild& child, event::WorkerFrozen& frozen) override {
    handover.on_frozen(child, frozen);
  }
  void on_freeze_failed(const LocalChild& child, const event::WorkerFrozen& answer) override {
    handover.on_freeze_failed(child, answer);
  }
  void on_prepared(const LocalChild& child) override { handover.on_prepared(child); }
  void on_prepare_failed(const LocalChild& child, const std::string& why) override {
    handover.on_prepare_failed(child, why);
  }
  // -- HandoverEvents
  void on_handover_step(Child& child) override { placement.enqueue(child); }
  void forward_held(const std::string& id, NodeId to) override { calls.forward(id, to); }
  void on_stays(const Uid& uid) override { placement.on_stays(uid); }
  bool may_stay(const Uid& uid) const override { return placement.may_stay(uid); }
  // -- PlacementEvents
  void on_redistribution_begin() override;
  void on_redistribution_end() override;
  void remove_child(Child& child) override;

  Context ctx;
  StrategySet strategies;
  EventQueue queue{};
  Registry registry;
  Links links;
  Publications publications;
  Membership membership;
  Replication replication;
  Gossip gossiping;
  Supervisor supervisor;
  Quorum quorum;
  Handover handover;
  Balancer balancer;
  Placement placement;
  Requests requests;
  CallRouter calls;
  Topics topics;
  StaticChildren statics;

  bool partitioned() const { return quorum.lost(); }
  bool leaving() const { return leave_token_.has_value() || left_; }
  bool terminated() const { return terminated_; }
  bool stalled() const { return stalled_; }
  bool cluster_changed = true;

 private:
  bool frozen() const { return freeze_ % 2 == 1; }
  void note_freeze(std::uint64_t number);
  Result<void> operate(event::Operation what);
  Result<void> drain();
  /// Answers those who asked for its restart.
  void end_restarts(const Uid& uid, const Result<void>& how);
  ChildReport report_child(const std::string& id);
  std::vector<PeerInfo> report_peers() const;
  void on_stall(Duration away);
  void stall(const std::vector<NodeId>& peers);
  void check_stall();
  void check_leave();
  bool said_farewell();
  bool has_rows(NodeId node, std::uint64_t version) const;
  void hear_last_words();
  void check_settled();
  void note_change() { cluster_changed = unchecked_ = true; }
  void announce();
  void announce_view();
  void note_level(int before);
  void purge();
  void tick();

  /// Of a leaving node whose last rows, which say what it let go, are still on their way.
  struct LastWords {
    std::uint64_t table_version = 0;
    Time until{};
  };
  std::map<NodeId, LastWords> last_words_{};
  std::uint64_t joining_lock_ = 0;
  std::uint64_t redistribution_lock_ = 0;
  std::uint64_t quorum_lock_ = 0;
  std::optional<NodeId> cause_{};
  bool cause_joined_ = false;
  hook::PostRedistribution open_redistribution_{};  ///< closes what the pre-hook said, whatever came since
  bool heartbeat_wanted_ = false;
  Heartbeat announced_{};  ///< the latest
  Time announce_due_{};    ///< not before
  bool view_announced_ = true;
  bool settled_ = false;
  bool unchecked_ = true;  ///< something happened that could have ended or completed `settled_`
  bool stalled_ = false;
  bool gates_closed_ = false;
  bool lost_one_ = false;  ///< a member, while stalled
  bool terminated_ = false;
  bool left_ = false;
  bool drained_ = false;                    ///< by hand: it stays
  std::uint64_t freeze_ = 0;                ///< as in Heartbeat
  std::multimap<Uid, Token> restarting_{};  ///< by hand, until they run again
  std::optional<Token> leave_token_{};
  Time leave_until_{kNever};
  bool leave_said_ = false;
  std::set<NodeId> farewells_{};  ///< that have not been answered
  Time farewell_until_ = kNever;
  Time last_now_{kNever};
  Time purge_due_{};
};

}  // namespace processhub::protocol
