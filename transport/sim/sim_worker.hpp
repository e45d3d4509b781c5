// Synthetic workers. Behaviour by type: "broken" never starts, "slow" takes its time to start and stop,
// "stuck" only stops when its shutdown timeout ends, "finisher" ends normally by itself after half a second,
// "unsaved" throws in save_state and "endless" does not return from it, "picky" refuses to be loaded,
// everything else is a counter. Messages: add N and set N -> the new total, get -> the total, crash, finish,
// stop_self, mute (drops the reply). A body may end in " #n": a number of its own, logged when the message is
// handled.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "transport/sim/node_workers.hpp"

namespace processhub::sim {

class SimWorkers final : public NodeWorkers {
 public:
  explicit SimWorkers(WorkerSite site);

  void start(const protocol::effect::StartWorker& start) override;
  void stop(std::uint64_t serial, StopReason reason) override;
  void set_role(const protocol::effect::SetRole& change) override;
  void freeze(const protocol::effect::FreezeWorker& freeze) override;
  void cancel_freeze(std::uint64_t serial) override;
  void merge(const protocol::effect::MergeState& merge) override;
  void resume(const protocol::effect::ResumeWorker& resume) override;
  void post(protocol::effect::Post post) override;
  bool takes(std::uint64_t serial) const override;
  void close_gates() override;
  void open_gates() override;
  bool gates_open() const override { return gates_open_; }
  void look_again() override;
  void pause() override { tasks_.pause(); }
  void wake() override { tasks_.resume(); }
  void kill() override;
  std::size_t count() const override { return workers_.size(); }
  void each(const std::function<void(const Activation&, bool)>& visit) const override;

 private:
  enum class State : std::uint8_t { starting, up, frozen, prepared, stopping };
  struct Worker {
    std::size_t activation = 0;
    std::shared_ptr<const protocol::SharedSpec> spec{};
    State state = State::starting;
    Duration shutdown_timeout{};
    bool turn_due = false;
    Time busy_until{};  ///< a handler that takes long does not return before
    std::deque<protocol::PostedMessage> mailbox{};
    std::optional<protocol::effect::SetRole> role{};
    std::size_t before_role = 0;  ///< messages that come first
    std::optional<protocol::effect::FreezeWorker> freeze{};
    bool only_prepared = false;

    bool idle() const { return mailbox.empty() && !role && !freeze; }
  };
  /// Runs `task` after `delay` unless the worker is gone by then.
  void later(std::uint64_t serial, Duration delay, std::function<void(Worker&)> task);
  void come_up(std::uint64_t serial, Worker& worker);
  void next_turn(std::uint64_t serial, Worker& worker);
  void take_turn(std::uint64_t serial, Worker& worker);
  void freeze_now(std::uint64_t serial, Worker& worker);
  Activation& log_of(const Worker& worker) { return site_.log.activations[worker.activation]; }
  void finish_turn(std::uint64_t serial, Worker& worker, const protocol::PostedMessage& message);
  void handle(std::uint64_t serial, Worker& worker, const protocol::PostedMessage& message);
  void answer(const protocol::PostedMessage& message, Result<Bytes> result);
  void end(std::uint64_t serial, Worker& worker, protocol::WorkerExit exit, std::string why);
  bool may_run() const { return gates_open_ && site_.may_run(); }
  Duration stop_time(const Worker& worker);

  WorkerSite site_;
  ProcessTasks tasks_{site_.scheduler, site_.rng};
  std::map<std::uint64_t, Worker> workers_{};
  bool gates_open_ = true;
};

/// Synthetic workers on every node.
WorkersFactory synthetic_workers();

}  // namespace processhub::sim
