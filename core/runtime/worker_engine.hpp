// WorkerEngine: what WorkerHost is made of, shared with every thread that may outlive it. It owns the table
// of workers, admits messages, keeps the schedule and watches the threads; WorkerTurn runs the user's code.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/runtime/event_port.hpp"
#include "core/runtime/thread_roster.hpp"
#include "core/runtime/turn_gate.hpp"
#include "core/runtime/worker_cell.hpp"
#include "core/runtime/worker_counters.hpp"
#include "core/runtime/worker_host.hpp"
#include "core/runtime/worker_pool.hpp"
#include "core/runtime/worker_table.hpp"
#include "core/runtime/worker_timers.hpp"

namespace processhub::runtime {

/// Which way a message came.
enum class Path : std::uint8_t {
  loop,    ///< Post: taken by every worker that is not gone; never waits
  direct,  ///< deliver(): only by a worker that is up and may run
};

class WorkerEngine : public std::enable_shared_from_this<WorkerEngine> {
 public:
  WorkerEngine(const HubConfig& config, NodeId self, std::shared_ptr<const WorkerTypes> types,
               WorkerEvents& events, Tap* tap);

  void run();        ///< starts the threads
  void shut_down();  ///< ends everything; threads that do not return in time are left behind

  // -- WorkerHost
  void start(const protocol::effect::StartWorker& start);
  void stop(std::uint64_t serial, StopReason reason);
  void set_role(const protocol::effect::SetRole& change);
  void freeze(const protocol::effect::FreezeWorker& order);
  void merge(const protocol::effect::MergeState& merge);
  void cancel_freeze(std::uint64_t serial);
  void resume(const protocol::effect::ResumeWorker& resume);
  bool deliver(std::uint64_t serial, protocol::PostedMessage& message, Path path);
  void close_gates();
  void open_gates() { reschedule(gate_.open()); }
  void set_alive_until(Time deadline);
  WorkerCounters& counters() { return counters_; }
  /// A worker begins with a message: shown to who watches, and logged if it has a trace.
  void note_handled(const WorkerCell& cell, const protocol::PostedMessage& message);
  WorkerHost::Load load();

  // -- cells
  NodeId self() const { return self_; }
  const std::string& hub_id() const { return hub_id_; }
  WorkerTimers& timers() { return timers_; }
  EventPort& port() { return port_; }
  CellPtr find(std::uint64_t serial) { return table_.find(serial); }
  void enqueue(const CellPtr& cell, InnerWork work);

  // -- turns
  TurnGate& gate() { return gate_; }
  std::uint32_t turn_batch() const { return turn_batch_; }
  bool closing() const { return closing_.load(std::memory_order_relaxed); }
  /// Makes the worker this thread's, with its mailbox as the batch; false if it is not its turn.
  bool claim(const CellPtr& cell, const Runner& runner);
  /// The same without asking the gate: no user code but the destructor will run.
  bool claim_for_end(const CellPtr& cell, const Runner& runner);
  /// The end of a turn: idle, or scheduled again if something waits. `used` are emptied items.
  void release(const CellPtr& cell, MailQueue used);
  void mark_up(WorkerCell& cell);
  // Passivation (worker_idle.cpp).
  /// It idled for its time, says the timer; asked once for each time.
  bool may_sleep(WorkerCell& cell);
  void mark_asleep(WorkerCell& cell);
  void mark_awake(WorkerCell& cell);
  /// A worker that is only prepared waits from now on; false: it is to stop.
  bool park_prepared(WorkerCell& cell);
  /// True if its state is wanted.
  bool begin_saving(WorkerCell& cell);
  /// The end of a freeze; false: the worker goes on.
  bool answer_freeze(WorkerCell& cell, protocol::event::WorkerFrozen frozen);
  /// An inline handler took `took`; true if that was once too slow, and this worker's messages queue from now
  /// on.
  bool judge_inline(WorkerCell& cell, std::chrono::steady_clock::duration took);
  /// on_stop begins: it has the shutdown_timeout from now on.
  void arm_stop_deadline(WorkerCell& cell);
  /// Takes the worker out of the table and tells what it did not handle.
  void announce_down(WorkerCell& cell, Ending ending);
  void report(protocol::LogLevel level, std::string text);
  /// Answers a message that no handler will see, or counts and tells it.
  void discard(const WorkerCell& cell, protocol::PostedMessage& message, Error why);

 private:
  enum class MailboxPolicy : std::uint8_t { reject, drop_oldest, block };
  using Lock = std::unique_lock<std::mutex>;
  using Shard = WorkerTable::Shard;

  // Admission.
  bool admits(const WorkerCell& cell, Path path) const;
  bool full(const WorkerCell& cell, const protocol::PostedMessage& message) const;
  bool may_wait(Path path) const;
  void admit(Lock& lock, Shard& shard, const CellPtr& cell, protocol::PostedMessage& message);
  const HandlerEntry* inline_handler(const WorkerCell& cell, const protocol::PostedMessage& message) const;
  std::unique_ptr<MailItem> drop_oldest(WorkerCell& cell);

  // Schedule.
  void schedule(CellPtr cell);
  void reschedule(TurnGate::Cells cells);

  static void take_over(WorkerCell& cell, const Runner& runner);
  std::vector<protocol::PostedMessage> remove(WorkerCell& cell);

  // Threads.
  void spawn_pool_thread(std::uint32_t lane);
  bool replace_pool_threads();
  void run_pool_thread(std::uint32_t lane, ThreadRoster::Id thread);
  bool hand_to_own_thread(const CellPtr& cell, const Runner& runner);
  void run_dedicated_thread(const CellPtr& cell, ThreadRoster::Id thread);

  // Watch (timer thread), and the end.
  void on_due(const WorkerTimers::Entry& entry);
  void check_stop(std::uint64_t serial);
  void check_idle(const WorkerTimers::Entry& entry);
  void look_again_at(WorkerCell& cell, std::chrono::steady_clock::time_point when);
  bool give_up(Lock& lock, const CellPtr& cell, const std::string& why);
  void announce_given_up(WorkerCell& cell, const std::string& why, bool guest);
  WorkerTimers::Clock::duration watch(WorkerTimers::Clock::time_point now);
  void watch_lane(std::uint32_t index, WorkerTimers::Clock::time_point now);
  void release_waiting_senders();
  void leave_stuck_behind();
  void drop_everything();
  void drop(const CellPtr& cell);

  const NodeId self_;
  const std::string hub_id_;
  const std::shared_ptr<const WorkerTypes> types_;
  const std::uint32_t mailbox_limit_;
  const std::uint64_t mailbox_bytes_;
  const MailboxPolicy policy_;
  const std::uint32_t turn_batch_;
  const std::chrono::microseconds inline_limit_;
  const std::chrono::microseconds shutdown_timeout_;

  EventPort port_;
  WorkerCounters counters_{};
  TurnGate gate_{};
  WorkerTable table_{};
  WorkerPool pool_;
  WorkerTimers timers_{};
  ThreadRoster roster_{};
  std::atomic<bool> closing_{false};
  std::atomic<std::thread::id> loop_thread_{};

  /// What the watcher saw of a lane last time.
  struct LaneWatch {
    std::uint64_t beat = 0;
    std::uint64_t serial = 0;
    WorkerTimers::Clock::time_point since{};
    bool reported = false;
  };
  std::vector<LaneWatch> watches_{};
  Tap* const tap_;                          ///< may be null; only while the hub lives
  std::vector<std::uint32_t> ownerless_{};  ///< lanes whose thread was left behind; timer thread
};

}  // namespace processhub::runtime
