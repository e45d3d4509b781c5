// Instances of a user's worker classes on one simulated node: the real handlers, timers and continuations, in
// virtual time and one thread. What WorkerHost promises holds here too; only the threads are missing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "processhub/worker.hpp"
#include "transport/sim/hosted_worker.hpp"
#include "transport/sim/node_workers.hpp"

namespace processhub::sim {

/// What all nodes of one cluster share.
struct HostedClasses {
  WorkerTypes types{};
  int inside = 0;  ///< how deep the thread is in users' code now
};

class HostedWorkers final : public NodeWorkers {
 public:
  HostedWorkers(WorkerSite site, std::shared_ptr<HostedClasses> classes);
  ~HostedWorkers() override;

  void start(const protocol::effect::StartWorker& start) override;
  void stop(std::uint64_t serial, StopReason reason) override;
  void set_role(const protocol::effect::SetRole& change) override;
  void freeze(const protocol::effect::FreezeWorker& freeze) override;
  void cancel_freeze(std::uint64_t serial) override;
  void merge(const protocol::effect::MergeState& merge) override;
  void resume(const protocol::effect::ResumeWorker& resume) override;
  void post(protocol::effect::Post post) override;
  bool takes(std::uint64_t serial) const override;
  void close_gates() override { gates_open_ = false; }
  void open_gates() override;
  bool gates_open() const override { return gates_open_; }
  void look_again() override;
  void call_ended(protocol::Token token, Result<Bytes> answer) override;
  void child_changed(const std::string& id) override;
  void pause() override { tasks_.pause(); }
  void wake() override { tasks_.resume(); }
  void kill() override;
  std::size_t count() const override { return workers_.size(); }
  void each(const std::function<void(const Activation&, bool)>& visit) const override;
  Worker* instance(std::uint64_t serial) const override;
  std::uint64_t dead_letters() const override { return dead_letters_; }

  // -- for the workers
  NodeId self() const { return site_.self; }
  const std::string& hub_id() const { return site_.config.hub_id; }
  Time now() const { return site_.scheduler.now(); }
  void timer_in(Duration delay, std::uint64_t serial, TimerId timer);
  void tell(protocol::Event event);
  ChildNews news(const std::string& id) const { return news_of(id, site_.lookup(id)); }
  void cast(std::string_view to, std::string_view message, Bytes body);
  /// The token under which the answer comes.
  protocol::Token call(std::uint64_t serial, std::string_view to, std::string_view message, Bytes body,
                       const CallOptions& options);
  std::shared_ptr<ReplyPort> port() const { return port_; }

 private:
  using Cells = std::map<std::uint64_t, std::unique_ptr<HostedWorker>>;
  void later(std::uint64_t serial, Duration delay, std::function<void(HostedWorker&)> task);
  /// Runs code of the user's; what it threw, if it threw.
  std::optional<std::string> guarded(const std::function<void()>& code);
  void come_up(HostedWorker& worker);
  bool may_run(HostedWorker& worker) const;
  void next_turn(HostedWorker& worker);
  void begin(HostedWorker& worker);
  void freeze_now(HostedWorker& worker);
  void take_turn(HostedWorker& worker);
  void awake(HostedWorker& worker);
  void look_whether_idle(HostedWorker& worker);
  bool put_away(HostedWorker& worker);
  bool wake(HostedWorker& worker, std::string& why);
  bool take(HostedWorker& worker, HostedWorker::Item& item, std::string& why);
  bool handle(HostedWorker& worker, protocol::PostedMessage& message, std::string& why);
  void discard(protocol::PostedMessage& message, Error why);
  void end(HostedWorker& worker, protocol::WorkerExit exit, std::string why, bool call_on_stop);
  Activation& log_of(const HostedWorker& worker) { return site_.log.activations[worker.activation]; }

  WorkerSite site_;
  const std::shared_ptr<HostedClasses> classes_;
  std::shared_ptr<ReplyPort> port_;
  ProcessTasks tasks_{site_.scheduler, site_.rng};
  Cells workers_{};
  std::map<protocol::Token, std::uint64_t> calls_{};  ///< to the serial of the worker that waits
  protocol::Token last_call_ = kWorkerCall;
  std::uint64_t dead_letters_ = 0;
  bool gates_open_ = true;
};

/// Instances of `classes` on every node.
WorkersFactory hosted_workers(std::shared_ptr<HostedClasses> classes);

}  // namespace processhub::sim
