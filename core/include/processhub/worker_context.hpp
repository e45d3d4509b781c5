// Worker, the base of every worker class, and WorkerContext, its window to the hub.
//
// Life of a worker: constructor(args) -> [load_state] -> on_start(reason) -> messages, timers, continuations
// -> on_stop(reason). One worker is never on two threads at once; everything it is called with happens in
// turns. ctx() is valid from on_start on, and only on the worker's own turns. An exception that escapes is a
// crash: the supervisor decides what follows.
#pragma once

#include <chrono>
#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "processhub/child.hpp"
#include "processhub/ids.hpp"
#include "processhub/payload.hpp"
#include "processhub/result.hpp"
#include "processhub/task.hpp"
#include "processhub/topic.hpp"
#include "processhub/trace.hpp"

namespace processhub {

class WorkerContext;

/// What tells a handler where its answer goes. Implemented by the runtime; users meet it as Reply<R>.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  virtual void finish(Result<Bytes> answer) = 0;  ///< once; any thread
};

namespace detail {
template <class T>
struct IsResult : std::false_type {};
template <class T>
struct IsResult<Result<T>> : std::true_type {};

/// What a handler came to, as its caller gets it; `named`: with field names.
template <class R>
Result<Bytes> answer_of(const R& value, bool named) {
  if constexpr (!IsResult<R>::value) {
    return named ? encode_named(value) : encode(value);
  } else if (!value) {
    return value.error();
  } else if constexpr (std::is_void_v<typename R::value_type>) {
    return Bytes("\xc0", 1);  // msgpack nil
  } else {
    return answer_of(*value, named);
  }
}

/// Ends the call `no_reply` when the last copy goes without an answer.
class ReplyHolder {
 public:
  ReplyHolder(std::shared_ptr<ReplySink> sink, bool named) : sink_(std::move(sink)), named_(named) {}
  ReplyHolder(const ReplyHolder&) = delete;
  ReplyHolder& operator=(const ReplyHolder&) = delete;
  ~ReplyHolder() {
    if (sink_) sink_->finish({ErrorCode::no_reply, "the handler dropped its Reply"});
  }
  bool named() const { return named_; }
  void finish(Result<Bytes> answer) {
    if (auto sink = std::exchange(sink_, nullptr)) sink->finish(std::move(answer));
  }

 private:
  std::shared_ptr<ReplySink> sink_;
  bool named_;
};
}  // namespace detail

/// A delayed answer. Copy it into a continuation; the first call answers, later ones do nothing. Use on the
/// worker's turns.
template <class R>
class Reply {
 public:
  explicit Reply(std::shared_ptr<detail::ReplyHolder> holder) : holder_(std::move(holder)) {}
  void operator()(const R& value) const { holder_->finish(detail::answer_of(value, holder_->named())); }
  void fail(Error error) const { holder_->finish(std::move(error)); }

 private:
  std::shared_ptr<detail::ReplyHolder> holder_;
};

using TimerId = std::uint64_t;
using MonitorId = std::uint64_t;

namespace detail {
template <class R>
class CallAwait;
/// False for messages that g++ 12 breaks if they are temporaries of a co_await expression.
template <class M>
inline constexpr bool kMayBeAwaitedUnnamed =
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
    std::is_lvalue_reference_v<M> || std::is_trivially_destructible_v<M>;
#else
    true;
#endif
class SleepAwait;
struct TaskAccess;
}  // namespace detail

/// The base of every worker class.
class PROCESSHUB_API Worker {
 public:
  Worker() = default;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  virtual ~Worker() = default;

  virtual void on_start(StartReason) {}
  /// The last turn. Has the child's shutdown_timeout; its id is reported if it takes longer.
  virtual void on_stop(StopReason) {}
  /// The role changed after the start.
  virtual void on_role(Role) {}

 protected:
  WorkerContext& ctx() const { return *context_; }
  /// Runs a coroutine that answers no message: at once, up to its first wait. What it throws is a crash.
  void spawn(Task<> task) { detail::run_task(tasks(), std::move(task)).handle.resume(); }

 private:
  friend class WorkerContext;
  friend struct detail::TaskAccess;
  detail::TaskSet& tasks() {
    if (!tasks_) tasks_ = std::make_unique<detail::TaskSet>();
    return *tasks_;
  }
  WorkerContext* context_ = nullptr;
  std::unique_ptr<detail::TaskSet> tasks_{};  // made for the first
};

/// A worker's window to its hub. Implemented by the runtime (and by the simulator). Worker's turns only.
class PROCESSHUB_API WorkerContext {
 public:
  virtual ~WorkerContext() = default;

  virtual const std::string& id() const = 0;
  virtual NodeId node() const = 0;
  virtual Generation generation() const = 0;
  virtual Role role() const = 0;
  virtual const std::string& hub_id() const = 0;

  /// Sends without waiting and without an answer. What cannot be delivered is a dead letter, counted.
  template <class M>
  void cast(std::string_view to, const M& message) {
    cast_raw(to, message_name<M>(), encode(message));
  }
  /// Asks another child; `then` runs as a turn of this worker, exactly once, unless the worker stops first.
  template <class R, class M, class F>
  void call(std::string_view to, const M& message, std::chrono::milliseconds timeout, F then) {
    call<R>(to, message, CallOptions{timeout}, std::move(then));
  }
  template <class R, class M, class F>
  void call(std::string_view to, const M& message, const CallOptions& options, F then) {
    call_raw(to, message_name<M>(), encode(message), options,
             [then = std::move(then)](Result<Bytes> answer) mutable {
               if (!answer) return then(Result<R>(answer.error()));
               then(decode<R>(*answer));
             });
  }
  /// The same inside a coroutine: `Result<Total> total = co_await ctx().call<Total>("c2", Get{});`
  template <class R, class M>
  detail::CallAwait<R> call(std::string_view to, M&& message,
                            std::chrono::milliseconds timeout = std::chrono::seconds(5)) {
    return call<R>(to, std::forward<M>(message), CallOptions{timeout});
  }
  template <class R, class M>
  detail::CallAwait<R> call(std::string_view to, M&& message, const CallOptions& options) {
    static_assert(detail::kMayBeAwaitedUnnamed<M>,
                  "g++ 12 destroys temporaries like this one twice inside co_await: give the message a name, "
                  "`const Take take{...}; co_await ctx().call<R>(to, take)`");
    using Message = std::remove_cvref_t<M>;
    return {*this, to, message_name<Message>(), encode<Message>(message), options};
  }
  /// `co_await ctx().sleep(20ms);`
  detail::SleepAwait sleep(std::chrono::milliseconds delay);

  /// Runs `action` as a turn of this worker, once after `delay` or every `period`; ends with the worker.
  virtual TimerId after(std::chrono::milliseconds delay, std::function<void()> action) = 0;
  virtual TimerId every(std::chrono::milliseconds period, std::function<void()> action) = 0;
  virtual void cancel(TimerId timer) = 0;
  /// A normal end after this turn: a permanent child starts again, a transient or temporary one is removed.
  virtual void finish() = 0;
  /// Removes the child for good after this turn, whatever its restart kind.
  virtual void stop_self() = 0;

  /// To all subscribers of a matching pattern, on all nodes. A name that is no topic, or a body that is too
  /// large, throws std::invalid_argument.
  template <class M>
  void publish(std::string_view topic, const M& message, PublishOptions options = {}) {
    publish_raw(topic, message_name<M>(), encode(message), options);
  }
  virtual void publish_raw(std::string_view topic, std::string_view message, Bytes body,
                           PublishOptions options) = 0;
  /// From now on what is published under a matching topic comes to this worker's handlers like a cast, once,
  /// however many of its patterns match. Ends with the worker: subscribe in on_start, which is also called
  /// where the child moves to. Throws std::invalid_argument for what is no pattern.
  virtual void subscribe(std::string_view pattern) = 0;
  virtual void unsubscribe(std::string_view pattern) = 0;
  /// In a handler: what came with the message that was published; null for any other message, and for one
  /// that waited when the child moved.
  virtual const TopicMessage* topic() const = 0;

  virtual void cast_raw(std::string_view to, std::string_view message, Bytes body) = 0;
  virtual void call_raw(std::string_view to, std::string_view message, Bytes body, const CallOptions& options,
                        std::function<void(Result<Bytes>)> then) = 0;

  /// Tells this worker, as turns of it, how another child is: now, and whenever that changes, until
  /// unmonitor() or until the worker ends (where the child moves to it monitors anew, in on_start). What
  /// comes to nothing between two turns of the hub may be left out, the last state never is: a restart or a
  /// move that nobody saw shows as `running` with another generation. A child that does not exist (yet) is
  /// `gone`.
  virtual MonitorId monitor(std::string_view id, std::function<void(const ChildNews&)> then) = 0;
  virtual void unmonitor(MonitorId monitor) = 0;

 protected:
  static void attach(Worker& worker, WorkerContext* context) { worker.context_ = context; }
  /// Whether coroutines of the worker wait for something.
  static bool has_tasks(const Worker& worker) { return worker.tasks_ && worker.tasks_->size() > 0; }
  /// Before a worker is destroyed: ends the coroutines that still wait, while what they refer to is there.
  static void end_tasks(Worker& worker) { worker.tasks_.reset(); }
};

namespace detail {
struct TaskAccess {
  static TaskSet& tasks_of(Worker& worker) { return worker.tasks(); }
};

/// The context owns the function that resumes the coroutine, and drops it with the worker.
template <class R>
class [[nodiscard]] CallAwait {
 public:
  CallAwait(WorkerContext& context, std::string_view to, std::string_view message, Bytes body,
            const CallOptions& options)
      : context_(context), to_(to), message_(message), body_(std::move(body)), options_(options) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    context_.call_raw(to_, message_, std::move(body_), options_, [this, waiting](Result<Bytes> answer) {
      answer_.emplace(answer ? decode<R>(*answer) : Result<R>(answer.error()));
      waiting.resume();
    });
  }
  Result<R> await_resume() { return std::move(*answer_); }

 private:
  WorkerContext& context_;
  std::string to_;
  std::string_view message_;  // a constant of the message's type
  Bytes body_;
  CallOptions options_;
  std::optional<Result<R>> answer_{};
};

class [[nodiscard]] SleepAwait {
 public:
  SleepAwait(WorkerContext& context, std::chrono::milliseconds delay) : context_(context), delay_(delay) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    context_.after(delay_, [waiting] { waiting.resume(); });
  }
  void await_resume() const noexcept {}

 private:
  WorkerContext& context_;
  std::chrono::milliseconds delay_;
};
}  // namespace detail

inline detail::SleepAwait WorkerContext::sleep(std::chrono::milliseconds delay) { return {*this, delay}; }

}  // namespace processhub
