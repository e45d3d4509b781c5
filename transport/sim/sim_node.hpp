// One simulated node: a second driver of HubCore beside the real loop. It survives its core: a crashed node
// can be started again at the same address as a new incarnation.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "transport/sim/core_port.hpp"
#include "transport/sim/node_workers.hpp"
#include "transport/sim/sim_client.hpp"
#include "transport/sim/sim_network.hpp"

namespace processhub::sim {

enum class NodeLife : std::uint8_t {
  up,
  paused,      ///< SIGSTOP: nothing runs, traffic queues
  crashed,     ///< killed, or never started
  left,        ///< left gracefully
  terminated,  ///< its core said it must not live on
};
std::string_view to_string(NodeLife life);

class SimNode;

/// Sees everything a node takes in and gives out. Called in the order things happen.
class NodeObserver {
 public:
  virtual ~NodeObserver() = default;
  virtual void on_event(const SimNode&, const protocol::Event&) {}
  /// Before the effect is carried out.
  virtual void on_effect(const SimNode&, const protocol::Effect&) {}
  /// A turn ended; the node's registry and cluster snapshot are current.
  virtual void on_turn(const SimNode&) {}
  virtual void on_life(const SimNode&) {}
};

class SimNode {
 public:
  struct Services {
    Scheduler& scheduler;
    SimNetwork& network;
    const Faults& faults;
    WorkerLog& log;
    const CoreFactory& make_core;
    const WorkersFactory& make_workers;
    NodeObserver& observer;
    bool lean = false;  ///< no registry(), and cluster() is only as new as the last look()
    std::shared_ptr<protocol::SpecPool> specs{};  ///< one copy of every spec for all nodes
  };

  /// Not started. `host` is its address; usually the same as its name. A name in the config wins: several
  /// nodes may claim one.
  SimNode(Services services, std::string name, std::string host, HubConfig config, Rng rng);
  ~SimNode();
  SimNode(const SimNode&) = delete;
  SimNode& operator=(const SimNode&) = delete;

  /// Starts a new life. `clock_offset`: how far this machine's clock is ahead of virtual time.
  void boot(std::uint64_t incarnation, Duration clock_offset);
  void crash(SimNetwork::Detach how);
  void pause();
  void resume();
  /// What it measures of itself from now on.
  void set_load(const LoadSample& load) { load_ = load; }
  /// From now on a turn of its loop begins this much later.
  void slow(Duration slowness) { slowness_ = slowness; }
  Duration slowness() const { return slowness_; }
  /// In this life it was paused, or its clock jumped.
  bool lost_time() const { return jumped_ || paused_for().count() != 0; }
  /// The machine's clock stood still for the others, as in a suspended one: it goes on later than it was.
  void jump_clock(Duration ahead);
  /// The user's events; ignored unless the node lives.
  void submit(protocol::Event event);
  /// As a thread of the program does it: straight into the mailbox of a worker of this node, unless something
  /// may still have to come before.
  void cast(protocol::event::CastChild cast);

  const std::string& name() const { return name_; }
  HostId host() const { return host_; }
  NodeId id() const { return id_; }
  NodeLife life() const { return life_; }
  bool running() const { return life_ == NodeLife::up || life_ == NodeLife::paused; }
  const std::string& why_terminated() const { return why_terminated_; }
  const HubConfig& config() const { return config_; }
  Duration clock_offset() const { return clock_offset_; }
  /// Virtual time this life has spent paused so far.
  Duration paused_for() const;

  const std::map<std::string, std::shared_ptr<const protocol::ChildRecord>>& registry() const {
    return registry_;
  }
  /// This life of the node has listed the id at some time.
  bool ever_listed(const std::string& id) const { return listed_.contains(id); }
  const protocol::ClusterSnapshot& cluster() const { return cluster_; }
  /// The current one, in lean mode too.
  const protocol::ClusterSnapshot& look();
  const NodeWorkers& workers() const { return *workers_; }
  CoreView view() const { return core_ ? core_->view() : CoreView{}; }
  HubStats stats() const { return core_ ? core_->stats() : HubStats{}; }
  /// Ids of nodes that this node's snapshot lists as up (also suspect, joining or leaving ones), in order.
  std::vector<NodeId> believed_up() const;

 private:
  void deliver(protocol::Event event);
  std::uint64_t direct_target(const std::string& id) const;
  void wake();
  void turn();
  void arm();
  void take_changes();
  void vouch();
  void perform();
  void end_life(NodeLife life, SimNetwork::Detach how);
  Time local_now() const;
  /// The first moment at which the local clock shows this.
  Time when_local(Time local) const;

  void carry_out(protocol::effect::Connect& e) { services_.network.connect(host_, e.link, e.endpoint); }
  void carry_out(protocol::effect::Disconnect& e) { services_.network.disconnect(host_, e.link); }
  void carry_out(protocol::effect::Subscribe& e) { services_.network.subscribe(host_, e.endpoint); }
  void carry_out(protocol::effect::Unsubscribe& e) { services_.network.unsubscribe(host_, e.endpoint); }
  void carry_out(protocol::effect::SendLink& e) {
    services_.network.send_link(host_, e.link, std::move(e.frame));
  }
  void carry_out(protocol::effect::SendRoute& e) {
    services_.network.send_route(host_, e.route, std::move(e.frame));
  }
  void carry_out(protocol::effect::Publish& e) { services_.network.publish(host_, std::move(e.frame)); }
  void carry_out(protocol::effect::StartWorker& e) { workers_->start(e); }
  void carry_out(protocol::effect::StopWorker& e) { workers_->stop(e.serial, e.reason); }
  void carry_out(protocol::effect::SetRole& e) { workers_->set_role(e); }
  void carry_out(protocol::effect::FreezeWorker& e) { workers_->freeze(e); }
  void carry_out(protocol::effect::CancelFreeze& e) { workers_->cancel_freeze(e.serial); }
  void carry_out(protocol::effect::MergeState& e) { workers_->merge(e); }
  void carry_out(protocol::effect::ResumeWorker& e) { workers_->resume(e); }
  void carry_out(protocol::effect::Post& e) { workers_->post(std::move(e)); }
  void carry_out(protocol::effect::DirectWay& e) {
    if (e.open)
      closed_.erase(e.id);
    else
      closed_.insert(e.id);
  }
  void carry_out(protocol::effect::CloseGates&) { workers_->close_gates(); }
  void carry_out(protocol::effect::OpenGates&) { workers_->open_gates(); }
  void carry_out(protocol::effect::MeasureLoad&) { deliver(protocol::event::LoadMeasured{load_}); }
  void carry_out(protocol::effect::AdminQuery& e) {
    const bool knows = e.verb == "nodes";
    deliver(protocol::event::AdminAnswer{e.client, e.request, std::uint8_t(knows ? 0 : 1),
                                         knows ? members_for_client(look()) : Bytes()});
  }
  void carry_out(protocol::effect::Terminate& e);
  void carry_out(protocol::effect::CompleteVoid& e);
  void carry_out(protocol::effect::CompleteStart&) {}
  void carry_out(protocol::effect::CompleteStop&) {}
  void carry_out(protocol::effect::CompleteCall& e) {
    if (e.token & kWorkerCall) workers_->call_ended(e.token, std::move(e.result));
  }
  void carry_out(protocol::effect::CompleteLock&) {}
  void carry_out(protocol::effect::RunHook&) {}
  void carry_out(protocol::effect::UserEvent&) {}
  void carry_out(protocol::effect::TopicDelivery&) {}
  void carry_out(protocol::effect::Log&) {}

  Services services_;
  std::string name_;
  HostId host_;
  HubConfig config_;
  Rng rng_;

  NodeId id_{};
  NodeLife life_ = NodeLife::crashed;
  std::uint64_t lives_ = 0;  ///< tasks of an earlier life do nothing
  Duration clock_offset_{};
  Time drifts_since_{};
  std::int64_t drift_ = 0;  ///< millionths
  Duration slowness_{};
  LoadSample load_{};
  bool jumped_ = false;
  std::unique_ptr<CorePort> core_{};
  std::unique_ptr<NodeWorkers> workers_{};
  Time turns_until_ = kNever;
  std::deque<protocol::Event> inbox_{};
  protocol::Effects effects_{};
  bool turn_due_ = false;
  std::uint64_t alarm_ = 0;
  Time alarm_at_ = kNever;
  std::optional<protocol::Token> leave_token_{};
  std::optional<NodeLife> ending_{};
  std::string why_terminated_{};
  Time paused_since_{};
  Duration paused_total_{};
  std::map<std::string, std::shared_ptr<const protocol::ChildRecord>> registry_{};
  std::set<std::string> listed_{};
  std::set<std::string> closed_{};  ///< ids that casts reach by the core only
  protocol::ClusterSnapshot cluster_{};
};

}  // namespace processhub::sim
