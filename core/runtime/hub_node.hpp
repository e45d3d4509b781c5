// HubNode: one life of a hub as a node, from bind to stop: the loop with its core and transport, the workers,
// and what other threads read. Any thread may call it until it is destroyed; after stop() everything answers
// `stopped`.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/runtime/callback_pool.hpp"
#include "core/runtime/child_watch.hpp"
#include "core/runtime/cluster_view.hpp"
#include "core/runtime/command.hpp"
#include "core/runtime/hook_runner.hpp"
#include "core/runtime/hub_loop.hpp"
#include "core/runtime/hub_parts.hpp"
#include "core/runtime/logging.hpp"
#include "core/runtime/open_calls.hpp"
#include "core/runtime/registry_view.hpp"
#include "core/runtime/tap.hpp"
#include "core/runtime/worker_host.hpp"

namespace processhub::runtime {

class HubNode final : private WorkerEvents {
 public:
  /// What the lives of one hub share; outlives them.
  struct Shared {
    std::shared_ptr<const WorkerTypes> types;
    const HubParts& parts;
    CallbackPool& callbacks;
    HookRunner& hooks;
    const Logger& log;
    std::function<void(HubNode&, const protocol::effect::AdminQuery&)>
        admin;                     ///< called on the callback pool
    std::function<void()> on_end;  ///< the node was ended by its cluster; called on its loop
  };

  struct Network {
    std::unique_ptr<Transport> transport{};
    BoundAddresses told{};  // what peers are told
  };

  /// Builds the strategies and the transport, and binds; nothing runs before start().
  static Result<std::unique_ptr<HubNode>> make(HubConfig config, const Shared& shared);
  HubNode(HubConfig config, NodeId id, const Shared& shared, Network network,
          StrategySet strategies);  ///< use make()
  ~HubNode() override;              ///< stop(at_once)
  HubNode(const HubNode&) = delete;
  HubNode& operator=(const HubNode&) = delete;

  void start();
  void stop(StopWorkers how);

  const HubConfig& config() const { return config_; }
  NodeId id() const { return id_; }
  const std::string& endpoint() const { return endpoint_; }
  const RegistryView& registry() const { return registry_; }
  const ClusterView& cluster() const { return cluster_; }
  HubStats stats() const;
  std::size_t commands_waiting() const { return commands_.size(); }
  WorkerHost::Counters worker_counters() const { return host_.counters(); }
  WorkerHost::Load load() const { return host_.load(); }

  protocol::Token new_token() { return ++last_token_; }
  /// Hands a request to the loop; its answer ends in any case. `event` carries `token`.
  void ask(protocol::Token token, protocol::Event event, Answer answer);
  /// Hands over something without an answer.
  Result<void> tell(protocol::Event event);

  Result<void> cast(std::string_view id, std::string_view message, Bytes body);
  Result<void> broadcast(std::string_view tag, std::string_view message, Bytes body);
  struct CallRequest {
    std::string_view id{};
    std::string_view message{};
    Bytes body{};
    Duration timeout{};
    bool named_reply = false;
    bool retry = false;
  };
  void call(CallRequest request, CallAnswer answer);
  Tap& tap() { return tap_; }

 private:
  static Result<Network> open_network(const HubConfig& config, const HubParts& parts);
  HubLoop::World world(Network network, StrategySet strategies);

  /// The serial of the running local worker that a message may be given to directly; 0: the message goes
  /// through the loop.
  std::uint64_t direct_target(std::string_view id, std::uint64_t hash, LoopTraffic::Lane lane) const;
  Result<void> push(Command& command, bool always, std::size_t bytes = 0);
  /// The first station of a message from this process: shown to who watches, and logged if it has a trace.
  void note_queued(std::string_view kind, std::string_view id, std::string_view message,
                   std::string_view body, const TracePtr& trace);
  void push_worker_event(protocol::Event event);
  CallEnd ended_by(CallAnswer answer) const;

  void on_worker_up(std::uint64_t serial) override;
  void on_role_taken(std::uint64_t serial, Role role) override;
  void on_worker_frozen(protocol::event::WorkerFrozen frozen) override;
  void on_worker_prepared(std::uint64_t serial) override;
  void on_worker_down(protocol::event::WorkerDown down) override;
  void on_answer(protocol::ReplyRef to, Result<Bytes> answer) override;
  void cast_from_worker(std::string_view to, std::string_view message, Bytes body) override;
  void topic_from_worker(protocol::Event event) override;
  void call_from_worker(std::string_view to, std::string_view message, Bytes body, const CallOptions& options,
                        std::function<void(Result<Bytes>)> done) override;
  void monitor_from_worker(std::uint64_t serial, MonitorId monitor, std::string_view id) override {
    watch_.add(serial, monitor, id);
  }
  void unmonitor_from_worker(std::uint64_t serial, MonitorId monitor) override {
    watch_.remove(serial, monitor);
  }
  void on_dead_letter(std::string_view child, std::string_view message, std::string_view why) override;
  void on_report(protocol::LogLevel level, std::string text) override;

  const HubConfig config_;
  const NodeId id_;
  const Shared shared_;
  const std::string endpoint_;
  const std::string publisher_;
  Commands commands_;
  LoopTraffic traffic_{};
  RegistryView registry_;
  ChildWatch watch_;
  ClusterView cluster_;
  OpenCalls calls_;
  std::atomic<protocol::Token> last_token_{0};
  std::atomic<std::uint64_t> dead_letters_{0};
  Tap tap_{};
  HubLoop loop_;     // its thread ends in the destructor's body, before anything it uses
  WorkerHost host_;  // goes first: to the very end its workers' answers are told to the loop
};

}  // namespace processhub::runtime
