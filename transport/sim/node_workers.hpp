// The workers of one simulated node as the node and the checkers see them: what a WorkerHost does, in virtual
// time, and a log of every activation. Two kinds exist: synthetic ones (sim_worker.hpp) for the simulator's
// own tests, and instances of a user's classes (hosted_workers.hpp) for the test kit.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/effect.hpp"
#include "core/protocol/event.hpp"
#include "processhub/config.hpp"
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
  Role role = Role::none;   ///< none while it is prepared or frozen
  Role meant = Role::none;  ///< what it has else
  StartReason reason = StartReason::first;
  Time ordered{};               ///< the StartWorker effect
  std::optional<Time> up{};     ///< it ran from here …
  std::optional<Time> ended{};  ///< … to here
  protocol::WorkerExit exit = protocol::WorkerExit::stopped;
  std::int64_t total = 0;  ///< of a counter: what it holds …
  std::int64_t added = 0;  ///< … and what it was told to add itself

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

  /// A start on `node` begins; its number.
  std::size_t begin(NodeId node, const protocol::effect::StartWorker& start, Time now);
  /// Active from the order on, passive when the worker has taken the role.
  void role(std::size_t activation, const protocol::effect::SetRole& change, bool taken);
  void freeze(std::size_t activation) { activations[activation].role = Role::none; }
  void resume(std::size_t activation, const Generation& generation);
};

/// Tokens of calls that workers make carry this bit: they are no operations of the user.
inline constexpr protocol::Token kWorkerCall = 1ULL << 63;

class NodeWorkers {
 public:
  virtual ~NodeWorkers() = default;

  virtual void start(const protocol::effect::StartWorker& start) = 0;
  virtual void stop(std::uint64_t serial, StopReason reason) = 0;
  virtual void set_role(const protocol::effect::SetRole& change) = 0;
  virtual void freeze(const protocol::effect::FreezeWorker& freeze) = 0;
  virtual void cancel_freeze(std::uint64_t serial) = 0;
  virtual void merge(const protocol::effect::MergeState& merge) = 0;
  virtual void resume(const protocol::effect::ResumeWorker& resume) = 0;
  virtual void post(protocol::effect::Post post) = 0;
  /// Threads of the process may hand it messages themselves: it is up and may run.
  virtual bool takes(std::uint64_t serial) const = 0;
  virtual void close_gates() = 0;
  virtual void open_gates() = 0;
  virtual bool gates_open() const = 0;
  /// WorkerSite::may_run may say yes again.
  virtual void look_again() = 0;
  /// The end of a call that a worker made with a token of its own.
  virtual void call_ended(protocol::Token, Result<Bytes>) {}

  /// The registry shows a child otherwise than before.
  virtual void child_changed(const std::string&) {}

  /// The whole process stands still; what falls due meanwhile happens at wake.
  virtual void pause() = 0;
  virtual void wake() = 0;
  /// The process is gone; nothing is reported.
  virtual void kill() = 0;

  /// Workers that exist, started or starting or stopping, by serial.
  virtual std::size_t count() const = 0;
  /// Calls visit(const Activation&, bool up) for each, in order of serial.
  virtual void each(const std::function<void(const Activation&, bool)>& visit) const = 0;
  /// The user's object; null if there is none.
  virtual Worker* instance(std::uint64_t) const { return nullptr; }
  /// Messages without a caller that no handler saw.
  virtual std::uint64_t dead_letters() const { return 0; }
};

/// What the workers of one life of a node are given.
struct WorkerSite {
  Scheduler& scheduler;
  Rng rng;
  const Faults& faults;
  const HubConfig& config;
  NodeId self{};
  WorkerLog& log;
  std::function<void(protocol::Event)> deliver{};
  /// The time up to which turns may start has not come.
  std::function<bool()> may_run{};
  /// A child as the node's registry shows it.
  std::function<std::optional<ChildInfo>(const std::string&)> lookup{};
};

using WorkersFactory = std::function<std::unique_ptr<NodeWorkers>(WorkerSite site)>;

/// Tasks of one simulated process: they stand still while it is paused, and are gone with it.
class ProcessTasks {
 public:
  ProcessTasks(Scheduler& scheduler, Rng& rng) : scheduler_(scheduler), rng_(rng) {}
  ~ProcessTasks() { *alive_ = false; }
  ProcessTasks(const ProcessTasks&) = delete;
  ProcessTasks& operator=(const ProcessTasks&) = delete;

  void after(Duration delay, std::function<void()> task);
  void pause() { paused_ = true; }
  void resume();
  void clear();

 private:
  Scheduler& scheduler_;
  Rng& rng_;
  std::vector<std::function<void()>> held_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool paused_ = false;
};

}  // namespace processhub::sim
