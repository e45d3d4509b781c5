// WorkerHost: all workers of one hub on this machine, their mailboxes, timers and threads.
// The loop thread carries out worker effects here; what workers do comes back as events through WorkerEvents
// (any thread). deliver() and local_call() are the direct path between threads of this process: they never
// pass the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/effect.hpp"
#include "core/protocol/event.hpp"
#include "processhub/config.hpp"
#include "processhub/worker.hpp"

namespace processhub::runtime {

class Tap;

/// The way from workers to the loop and to other children. Implemented by the hub; any thread.
class WorkerEvents {
 public:
  virtual ~WorkerEvents() = default;
  virtual void on_worker_up(std::uint64_t serial) = 0;
  virtual void on_role_taken(std::uint64_t serial, Role role) = 0;
  virtual void on_worker_frozen(protocol::event::WorkerFrozen frozen) = 0;
  virtual void on_worker_prepared(std::uint64_t serial) = 0;
  virtual void on_worker_down(protocol::event::WorkerDown down) = 0;
  virtual void on_answer(protocol::ReplyRef to, Result<Bytes> answer) = 0;
  /// A worker sends to another child: straight to a local one, else through the loop.
  virtual void cast_from_worker(std::string_view to, std::string_view message, Bytes body) = 0;
  /// A worker publishes, or subscribes to topics.
  virtual void topic_from_worker(protocol::Event event) = 0;
  /// `done` is called exactly once, on any thread.
  virtual void call_from_worker(std::string_view to, std::string_view message, Bytes body,
                                const CallOptions& options, std::function<void(Result<Bytes>)> done) = 0;
  /// A worker wants to know how a child is, or (0: of all) no more.
  virtual void monitor_from_worker(std::uint64_t serial, MonitorId monitor, std::string_view id) = 0;
  virtual void unmonitor_from_worker(std::uint64_t serial, MonitorId monitor) = 0;
  /// Nobody will handle it, and nobody waits for an answer. Under a flood as often as messages come.
  virtual void on_dead_letter(std::string_view child, std::string_view message, std::string_view why) = 0;
  virtual void on_report(protocol::LogLevel level,
                         std::string text) = 0;  ///< stuck worker, slow inline handler …
};

class WorkerHost {
 public:
  WorkerHost(const HubConfig& config, NodeId self, std::shared_ptr<const WorkerTypes> types,
             WorkerEvents& events, Tap* tap = nullptr);
  ~WorkerHost();  ///< stops every worker at once (on_stop not called) and joins its threads; replaced stuck
                  ///< threads are left behind

  // Loop thread: effects.
  void start(const protocol::effect::StartWorker& start);
  void stop(std::uint64_t serial, StopReason reason);
  void set_role(const protocol::effect::SetRole& change);
  void freeze(const protocol::effect::FreezeWorker& order);
  void merge(const protocol::effect::MergeState& merge);
  void cancel_freeze(std::uint64_t serial);
  void resume(const protocol::effect::ResumeWorker& resume);
  /// False (message untouched): that worker is frozen or has ended.
  bool post(std::uint64_t serial, protocol::PostedMessage& message);
  void close_gates();
  void open_gates();
  /// The loop lives until `deadline` (CLOCK_BOOTTIME, µs): no turn starts later than that. Loop thread, every
  /// turn.
  void set_alive_until(Time deadline);

  /// Direct path: puts the message into the mailbox of a running local worker. False (message untouched) if
  /// that serial does not run here any more or its gate is not open. Any thread. A full mailbox answers
  /// `overloaded` and returns true.
  bool deliver(std::uint64_t serial, protocol::PostedMessage&& message);
  /// For a worker's monitor; nothing if the worker has ended. Any thread.
  void child_news(std::uint64_t serial, MonitorId monitor, ChildNews news);

  struct Counters {
    std::uint64_t turns = 0;
    std::uint64_t handled = 0;
    std::uint64_t crashes = 0;
    std::uint64_t dead_letters = 0;  ///< casts; those for a full mailbox count as both
    std::uint64_t mailbox_full = 0;  ///< messages, calls too
    std::uint64_t slow_inline = 0;
    std::uint64_t stuck = 0;
  };
  Counters counters() const;

  /// What waits and who works, now.
  struct Load {
    std::uint64_t workers = 0;
    std::uint64_t passivated = 0;  ///< of the workers
    std::uint64_t waiting = 0;     ///< messages in all mailboxes
    std::uint64_t largest = 0;     ///< messages in the fullest one
    std::string largest_id{};      ///< empty: all are empty
    std::uint32_t threads = 0;     ///< of the pool
    std::uint32_t busy = 0;        ///< of these: in a worker's code
  };
  /// Any thread. Walks all mailboxes.
  Load load() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace processhub::runtime
