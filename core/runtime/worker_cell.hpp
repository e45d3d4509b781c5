// WorkerCell: one activation of a child on this machine: its place in the schedule, its mailbox and its
// object. It is also the WorkerContext that the object sees. Who may touch what:
//   "shard lock"  the lock of the worker's shard in WorkerTable
//   "turn lock"   the cell's own small lock, between the thread in the worker's turn and whoever gives up on
//   that thread "turn"        only the thread that made the state `running`
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/protocol/effect.hpp"
#include "core/runtime/mailbox.hpp"
#include "core/runtime/thread_roster.hpp"
#include "core/runtime/worker_answer.hpp"
#include "core/runtime/worker_pool.hpp"
#include "processhub/worker.hpp"

namespace processhub::runtime {

class WorkerEngine;

/// Held for a few instructions; almost never contended.
class SpinLock {
 public:
  void lock() {
    while (held_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
  }
  void unlock() { held_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> held_{false};
};

/// A thread that runs turns.
struct Runner {
  WorkerPool::Lane* lane = nullptr;  ///< null: the thread of a dedicated worker
  ThreadRoster::Id thread = 0;
};

/// How the thread of a dedicated worker is told that there is something to do.
class DedicatedSignal {
 public:
  void raise();
  void close();
  /// False once closed.
  bool wait();

 private:
  std::mutex mutex_{};
  std::condition_variable changed_{};
  bool raised_ = false;
  bool closed_ = false;
};

enum class CellState : std::uint8_t {
  queued,   ///< in a run queue or parked at the gate
  running,  ///< a thread has it
  idle,     ///< nothing to do
  frozen,   ///< takes nothing before it is resumed: its state was saved, or it is only prepared
  gone,     ///< over
};

/// What the core asked for, until it is done or cancelled.
enum class Freeze : std::uint8_t { no, with_state, without_state };

/// Of a worker that is put away when it idles.
struct Passivation {
  std::chrono::milliseconds after{};
  std::chrono::steady_clock::time_point last_used{};
  std::chrono::steady_clock::time_point look_at{};  ///< whether it idles
  bool due = false;     ///< it idled for so long; the next turn puts it away, if nothing came since
  bool asleep = false;  ///< its object is gone, its state kept
};

/// How a worker's life is about to end, and why.
struct Ending {
  protocol::WorkerExit exit = protocol::WorkerExit::stopped;
  std::string why{};
};

/// Whether the inline handlers of a worker keep to their time. One overrun may be the scheduler's doing, for
/// the clock also runs while the thread is preempted; two that are close together, or one far beyond the
/// limit, are the handler's.
class InlineRecord {
 public:
  bool allowed() const { return allowed_; }
  void ran_in_time() { since_overrun_ += since_overrun_ < kClose ? 1 : 0; }
  /// True if this one ends it.
  bool overran(bool far) {
    const bool ends = allowed_ && (far || since_overrun_ < kClose);
    since_overrun_ = 0;
    allowed_ = allowed_ && !ends;
    return ends;
  }

 private:
  static constexpr std::uint8_t kClose = 100;  // inline runs
  bool allowed_ = true;
  std::uint8_t since_overrun_ = kClose;
};

class WorkerCell final : public WorkerContext {
 public:
  WorkerCell(std::shared_ptr<WorkerEngine> engine, const protocol::effect::StartWorker& start,
             const WorkerClass* worker_class);
  ~WorkerCell() override;

  // WorkerContext
  const std::string& id() const override { return spec_->id; }
  NodeId node() const override;
  Generation generation() const override { return {epoch_, restarts_, node()}; }
  Role role() const override { return role_; }
  const std::string& hub_id() const override;
  TimerId after(std::chrono::milliseconds delay, std::function<void()> action) override;
  TimerId every(std::chrono::milliseconds period, std::function<void()> action) override;
  void cancel(TimerId timer) override;
  void finish() override;
  void stop_self() override;
  void cast_raw(std::string_view to, std::string_view message, Bytes body) override;
  void call_raw(std::string_view to, std::string_view message, Bytes body, const CallOptions& options,
                std::function<void(Result<Bytes>)> then) override;

  void publish_raw(std::string_view topic, std::string_view message, Bytes body,
                   PublishOptions options) override;
  void subscribe(std::string_view pattern) override;
  void unsubscribe(std::string_view pattern) override;
  MonitorId monitor(std::string_view id, std::function<void(const ChildNews&)> then) override;
  void unmonitor(MonitorId monitor) override;
  const TopicMessage* topic() const override { return own_ ? own_->topic.get() : nullptr; }

  /// Of the message that is being handled.
  void set_topic(std::shared_ptr<const TopicMessage> topic) { own().topic = std::move(topic); }
  std::uint64_t serial() const { return serial_; }
  bool dedicated() const { return spec_->kind->executor == Executor::dedicated; }
  bool has_inline_handlers() const { return has_inline_handlers_; }
  StartReason start_reason() const { return start_reason_; }
  Duration shutdown_timeout() const { return shutdown_timeout_; }
  const WorkerClass* worker_class() const { return class_; }
  std::string describe() const;  ///< for reports

  // -- turn: the user's code. Each may throw whatever the user throws.
  void construct();  ///< and loads the state it was given, or that was kept
  void run_timer(TimerId timer);
  void run_continuation(CallAnswered& answered);
  void run_monitor(const MonitorNews& news);
  void take_role(const RoleChange& change);
  void merge(const Bytes& state);
  Worker& worker() { return *worker_; }
  bool constructed() const { return worker_ != nullptr; }
  /// It waits for no answer and owes none.
  bool free_to_freeze();
  /// Nothing would be lost with its object but its state.
  bool free_to_sleep();
  bool has_items();
  /// Keeps the state; the object goes.
  void put_away(Bytes state);
  const Bytes& kept_state() const { return *state_; }
  void destroy();  ///< the object, its timers and continuations
  void set_generation(const Generation& generation) {
    epoch_ = generation.epoch;
    restarts_ = generation.restarts;
  }
  const Ending* ending() const { return ending_.get(); }
  void end_with(protocol::WorkerExit exit, std::string why);

  // -- turn lock, taken inside. User code runs between enter_user() and leave_user().
  void enter_user();
  bool leave_user();  ///< false: this thread was given up meanwhile
  /// Leaves user code, takes the next item and enters user code again for it. Null if there is none.
  std::unique_ptr<MailItem> next_item(bool& given_up);
  bool answering(const std::shared_ptr<WorkerAnswer>& answer);  ///< the call being handled; false: given up
  void answered();  ///< its handler returned; remembered if still open
  std::vector<std::shared_ptr<WorkerAnswer>> take_open_answers();
  void load_batch(MailQueue&& batch);
  MailQueue unload_batch();
  std::unique_ptr<MailItem> drop_oldest_of_batch();
  bool give_up();  ///< true if the thread is in user code now: from then on it owns nothing but the object
  bool given_up() const { return given_up_.load(std::memory_order_relaxed); }

  /// Messages that wait in the running batch; a hint for others.
  std::uint32_t batch_messages() const { return batch_messages_.load(std::memory_order_relaxed); }
  std::uint32_t batch_weight() const { return batch_weight_.load(std::memory_order_relaxed); }

  // A node may run a hundred thousand cells: small members stand together, so that none is padded.
  // -- shard lock
  MailQueue inbox{};
  const Runner* runner = nullptr;  ///< while running; null: a thread that delivered to an inline handler
  std::chrono::steady_clock::time_point stop_deadline{};
  std::unique_ptr<DedicatedSignal> signal{};  ///< set once
  CellState state = CellState::queued;
  StopReason stop_reason = StopReason::user;
  bool only_prepared = false;                      ///< on_start waits for resume
  bool saving = false;                             ///< in save_state
  bool up = false;                                 ///< on_start has returned
  InlineRecord inlines{};                          ///< changed in turns, read while idle
  const std::unique_ptr<Passivation> passivation;  ///< null: it never sleeps
  bool asleep() const { return passivation && passivation->asleep; }
  bool gone() const { return state == CellState::gone; }

  // -- written under the shard lock, read by any thread
  std::atomic<bool> stopping{false};
  std::atomic<Freeze> freeze{Freeze::no};
  std::atomic<bool> hold{false};  ///< takes no messages while it waits to be frozen
  std::atomic<std::uint16_t> merges_waiting{0};
  std::atomic<bool> has_thread{false};  ///< `signal` is set

 private:
  struct Timer {
    std::function<void()> action{};
    std::chrono::steady_clock::duration period{};  ///< zero: once
    std::chrono::steady_clock::time_point due{};
  };
  /// Goes on with the trace of the handler that made the call.
  struct Continuation {
    std::function<void(Result<Bytes>)> then{};
    Trace trace{};
  };
  /// What few workers have.
  struct Own {
    std::map<TimerId, Timer> timers{};
    std::map<std::uint64_t, Continuation> calls{};
    std::map<MonitorId, std::function<void(const ChildNews&)>> monitors{};
    std::uint64_t last_id = 0;
    std::shared_ptr<const TopicMessage> topic{};
  };
  /// Who waits for an answer; few workers have any at a given time.
  struct Callers {
    std::shared_ptr<WorkerAnswer> current{};            ///< of the message in its handler
    std::vector<std::shared_ptr<WorkerAnswer>> open{};  ///< of handlers that kept their Reply
  };
  void show_batch();  ///< turn lock
  Own& own();
  TimerId add_timer(std::chrono::milliseconds delay, std::chrono::milliseconds period,
                    std::function<void()> action);

  // turn lock
  SpinLock turn_lock_{};
  bool in_user_ = false;
  std::atomic<bool> given_up_{false};  // written under the lock

  const bool has_inline_handlers_;
  Role role_;  // these two: turn
  const StartReason start_reason_;
  std::uint32_t restarts_;  // with epoch_
  std::atomic<std::uint32_t> batch_messages_{0};
  std::atomic<std::uint32_t> batch_weight_{0};
  const std::uint64_t serial_;
  std::uint64_t epoch_;  // turn, and while frozen
  const Duration shutdown_timeout_;
  const std::shared_ptr<const protocol::SharedSpec> spec_;
  const WorkerClass* const class_;  ///< null: unknown type
  const std::shared_ptr<WorkerEngine> engine_;

  // turn
  std::shared_ptr<const Bytes> state_;  // to be loaded, or kept while it is passivated
  std::unique_ptr<Worker> worker_{};
  std::unique_ptr<Own> own_{};
  std::unique_ptr<Ending> ending_{};

  // turn lock
  MailQueue batch_{};
  std::unique_ptr<Callers> callers_{};
};

}  // namespace processhub::runtime
