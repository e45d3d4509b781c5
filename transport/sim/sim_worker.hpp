// The workers of one simulated node: what a WorkerHost does, in virtual time, and a log of every activation
// so that checkers see what ran where, when and as which generation.
//
// Behaviour by type: "broken" never starts, "slow" takes its time to start and stop, "stuck" only stops when
// its shutdown timeout ends, "finisher" ends normally by itself after half a second, everything else is a
// counter. Messages: add N -> the new total, get -> the total, crash, finish, stop_self, mute (drops the
// reply). A body may end in " #n": a number of its own, logged when the message is handled.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/effect.hpp"
#include "core/protocol/event.hpp"
#include "transport/sim/sim_faults.hpp"
#include "transport/sim/sim_rng.hpp"
#include "transport/sim/sim_scheduler.hpp"

namespace processhub::sim {

/// One start of a worker.
struct Activation {
  NodeId node{};
  std::uint64_t serial = 0;
  std::string id{};
  Uid uid{};
  Generation generation{};
  Role role = Role::none;
  StartReason reason = StartReason::first;
  Time ordered{};               ///< the StartWorker effect
  std::optional<Time> up{};     ///< it ran from here …
  std::optional<Time> ended{};  ///< … to here
  protocol::WorkerExit exit = protocol::WorkerExit::stopped;

  bool live() const { return !ended; }
};

/// A message with a number that a worker handled.
struct Handled {
  std::uint64_t number = 0;
  std::size_t activation = 0;
  Time when{};
};

/// The n of a body that ends in " #n"; 0 without.
std::uint64_t message_number(std::string_view body);

/// Everything workers did in one simulation, in order.
struct WorkerLog {
  std::vector<Activation> activations{};
  std::vector<Handled> handled{};
};

class SimWorkers {
 public:
  using Deliver = std::function<void(protocol::Event)>;

  SimWorkers(Scheduler& scheduler, Rng rng, const Faults& faults, NodeId self, WorkerLog& log,
             Deliver deliver);
  ~SimWorkers();
  SimWorkers(const SimWorkers&) = delete;
  SimWorkers& operator=(const SimWorkers&) = delete;

  void start(const protocol::effect::StartWorker& start);
  void stop(std::uint64_t serial, StopReason reason);
  void post(std::uint64_t serial, protocol::PostedMessage message);
  void close_gates();
  void open_gates();
  bool gates_open() const { return gates_open_; }

  /// The whole process stands still; what falls due meanwhile happens at resume.
  void pause();
  void resume();
  /// The process is gone; nothing is reported.
  void kill();

  /// Workers that exist, started or starting or stopping, by serial.
  std::size_t count() const { return workers_.size(); }
  /// Calls visit(const Activation&, bool up) for each, in order of serial.
  void each(const std::function<void(const Activation&, bool)>& visit) const;

 private:
  enum class State : std::uint8_t { starting, up, stopping };
  struct Worker {
    std::size_t activation = 0;
    std::shared_ptr<const protocol::SharedSpec> spec{};
    State state = State::starting;
    Duration shutdown_timeout{};
    std::int64_t total = 0;
    bool turn_due = false;
    std::deque<protocol::PostedMessage> mailbox{};
  };
  /// Runs `task` after `delay` unless the worker is gone by then; held back while the process is paused.
  void later(std::uint64_t serial, Duration delay, std::function<void(Worker&)> task);
  void run_or_hold(std::uint64_t serial, const std::function<void(Worker&)>& task);
  void come_up(std::uint64_t serial, Worker& worker);
  void next_turn(std::uint64_t serial, Worker& worker);
  void take_turn(std::uint64_t serial, Worker& worker);
  void handle(std::uint64_t serial, Worker& worker, const protocol::PostedMessage& message);
  void answer(const protocol::PostedMessage& message, Result<Bytes> result);
  void end(std::uint64_t serial, Worker& worker, protocol::WorkerExit exit, std::string why);
  Duration stop_time(const Worker& worker);

  Scheduler& scheduler_;
  Rng rng_;
  const Faults& faults_;
  NodeId self_;
  WorkerLog& log_;
  Deliver deliver_;
  std::map<std::uint64_t, Worker> workers_{};
  std::vector<std::pair<std::uint64_t, std::function<void(Worker&)>>> held_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool gates_open_ = true;
  bool paused_ = false;
};

}  // namespace processhub::sim
