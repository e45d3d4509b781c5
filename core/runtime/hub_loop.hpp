// HubLoop: THE thread of a hub. It owns the core and the transport; every turn looks at the network, takes
// commands, lets the core work, carries out its effects and publishes what changed. It never works longer
// than a few milliseconds between two looks at the network.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/protocol/hub_core.hpp"
#include "core/runtime/child_watch.hpp"
#include "core/runtime/cluster_view.hpp"
#include "core/runtime/command.hpp"
#include "core/runtime/effect_performer.hpp"
#include "core/runtime/load_meter.hpp"
#include "core/runtime/open_calls.hpp"
#include "core/runtime/registry_view.hpp"
#include "core/runtime/tap.hpp"
#include "core/runtime/worker_host.hpp"
#include "processhub/config.hpp"
#include "processhub/transport.hpp"

namespace processhub::runtime {

/// How long a node's workers may take when it stops.
enum class StopWorkers : std::uint8_t {
  at_once,     ///< on_stop is not called
  gracefully,  ///< each gets its shutdown_timeout
};

class HubLoop final : private TransportEvents {
 public:
  /// Everything outlives the loop. The core is driven by the loop thread alone once start() was called.
  struct World {
    const HubConfig& config;
    std::unique_ptr<protocol::HubCore> core;
    std::unique_ptr<Transport> transport;
    Commands& commands;
    LoopTraffic& traffic;
    WorkerHost& host;
    RegistryView& registry;
    ChildWatch& watch;
    ClusterView& cluster;
    OpenCalls& calls;
    CallbackPool& callbacks;
    HookRunner& hooks;
    const Logger& log;
    Tap& tap;
    EffectPerformer::Admin admin;
    std::function<protocol::Token()> new_token;
    std::function<void()> on_terminated;
  };

  explicit HubLoop(World world);
  ~HubLoop() override;  ///< stop(at_once) and join()
  HubLoop(const HubLoop&) = delete;
  HubLoop& operator=(const HubLoop&) = delete;

  void start();
  /// Any thread: the loop ends its turn, stops the workers, answers everything open with `stopped`, and ends.
  void stop(StopWorkers how);
  void join();
  /// Any thread: the loop looks at its queue soon.
  void wake() { world_.transport->wake(); }
  /// An answer that a worker gives on the loop thread, in an inline handler: it goes out in this very turn.
  /// False (and the answer untouched) on any other thread.
  bool take_answer(protocol::ReplyRef to, Result<Bytes>& answer);
  /// Any thread: something is due at `time`; wakes the loop if it would sleep longer.
  void due_at(Time time) {
    if (time.count() < sleeps_until_.load()) wake();
  }

 private:
  /// Commands that were taken from the queue, up to `next` carried out.
  struct Batch {
    std::vector<Command> items{};
    std::size_t next = 0;

    bool done() const { return next == items.size(); }
    void clear() {
      items.clear();
      next = 0;
    }
  };

  void run();
  void turn();
  Duration idle_time();
  void look_at_network(Duration timeout);
  void take_arrivals();
  void take_commands();
  void carry_out(Batch& batch, Time limit);
  void adapt_slice();
  void step(Command&& command);
  void take_what_effects_caused();
  template <class Left>
  void requeue_open_calls(Left& left);
  void finish_turn();
  void publish_registry();
  void vouch();
  void account();
  void wind_down();
  void stop_workers();
  void drop_commands(const Error& error);
  void drop(Command& command, const Error& error);
  Error ending() const;
  void see_time() { now_ = boot_now(); }
  void wake_up();

  void on_link_frame(LinkId link, std::string_view frame) override;
  void on_route_frame(RouteId route, std::string_view frame) override;
  void on_publication(std::string_view frame) override;
  void on_link_up(LinkId link) override;
  void on_link_down(LinkId link, bool refused) override;
  void arrived(protocol::Event&& event);
  void step_core(protocol::Event&& event);

  World world_;
  OpenAnswers answers_;
  EffectPerformer performer_;
  LoadMeter meter_{};
  protocol::Effects effects_{};
  Time now_{};
  Time busy_since_ = kNever;                // when this turn had something to do
  bool more_ = true;                        // work is waiting: do not sleep
  bool deaf_ = false;                       // winding down: what arrives is ignored
  std::deque<protocol::Event> arrivals_{};  // from the network, not taken yet
  std::size_t slice_ = protocol::HubCore::kSlice;
  Time turn_began_{};
  Batch line_{};
  Batch express_{};  ///< first
  bool line_waited_ = false;
  std::vector<LoopTraffic::Lane> taken_lanes_{};
  std::vector<protocol::event::WorkerAnswer> own_answers_{};
  HubStats own_stats_{};
  LoopMeters meters_{};
  double lag_average_ = 0;  // µs
  std::atomic<Time::rep> sleeps_until_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<std::thread::id> loop_thread_{};
  std::atomic<StopWorkers> how_{StopWorkers::at_once};
  std::thread thread_{};
};

}  // namespace processhub::runtime
