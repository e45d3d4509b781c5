// The user's side of a child: derive from Worker, declare handlers once per class, register the class in
// WorkerTypes.
//
// Life of a worker: constructor(args) -> [load_state] -> on_start(reason) -> messages, timers, continuations
// -> on_stop(reason). One worker is never on two threads at once; everything it is called with happens in
// turns. ctx() is valid from on_start on, and only on the worker's own turns. An exception that escapes is a
// crash: the supervisor decides what follows.
#pragma once

#include <chrono>
#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "processhub/child.hpp"
#include "processhub/ids.hpp"
#include "processhub/payload.hpp"
#include "processhub/result.hpp"

namespace processhub {

class WorkerContext;

/// What tells a handler where its answer goes. Implemented by the runtime; users meet it as Reply<R>.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  virtual void finish(Result<Bytes> answer) = 0;  ///< once; any thread
};

namespace detail {
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
  void operator()(const R& value) const {
    holder_->finish(holder_->named() ? encode_named(value) : encode(value));
  }
  void fail(Error error) const { holder_->finish(std::move(error)); }

 private:
  std::shared_ptr<detail::ReplyHolder> holder_;
};

using TimerId = std::uint64_t;

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

 private:
  friend class WorkerContext;
  WorkerContext* context_ = nullptr;
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
    call_raw(to, message_name<M>(), encode(message), timeout,
             [then = std::move(then)](Result<Bytes> answer) mutable {
               if (!answer) return then(Result<R>(answer.error()));
               then(decode<R>(*answer));
             });
  }
  /// Runs `action` as a turn of this worker, once after `delay` or every `period`; ends with the worker.
  virtual TimerId after(std::chrono::milliseconds delay, std::function<void()> action) = 0;
  virtual TimerId every(std::chrono::milliseconds period, std::function<void()> action) = 0;
  virtual void cancel(TimerId timer) = 0;
  /// A normal end after this turn: a permanent child starts again, a transient or temporary one is removed.
  virtual void finish() = 0;
  /// Removes the child for good after this turn, whatever its restart kind.
  virtual void stop_self() = 0;

  virtual void cast_raw(std::string_view to, std::string_view message, Bytes body) = 0;
  virtual void call_raw(std::string_view to, std::string_view message, Bytes body,
                        std::chrono::milliseconds timeout, std::function<void(Result<Bytes>)> then) = 0;

 protected:
  static void attach(Worker& worker, WorkerContext* context) { worker.context_ = context; }
};

/// One message on its way into a handler. `take_reply` moves the duty to answer to the handler.
struct Delivery {
  std::string_view message{};
  std::string_view body{};
  bool named_reply = false;            ///< the caller wants field names in the answer
  std::shared_ptr<ReplySink> reply{};  ///< null for a cast
};

using HandlerFn = void (*)(Worker& worker, Delivery& delivery);

struct HandlerEntry {
  std::string name{};
  HandlerFn invoke = nullptr;
  bool run_inline = false;
};

/// Marks a handler that may run on the thread where the message arrives; it must return within a millisecond.
struct InlineHandler {};
inline constexpr InlineHandler run_inline{};

namespace detail {
template <class T>
struct IsResult : std::false_type {};
template <class T>
struct IsResult<Result<T>> : std::true_type {
  using type = T;
};

template <class R>
void answer(Delivery& d, const R& value) {
  if (auto sink = std::exchange(d.reply, nullptr))
    sink->finish(d.named_reply ? encode_named(value) : encode(value));
}
inline void answer_empty(Delivery& d) {
  if (auto sink = std::exchange(d.reply, nullptr)) sink->finish(Bytes("\xc0", 1));  // msgpack nil
}
inline void answer_error(Delivery& d, Error error) {
  if (auto sink = std::exchange(d.reply, nullptr)) sink->finish(std::move(error));
}

/// Answers with what the handler returns.
template <class W, class R, class M, auto Method>
struct ReturningHandler {
  using Message = M;
  static void invoke(Worker& worker, Delivery& d) {
    auto message = decode<M>(d.body);
    if (!message) return answer_error(d, message.error());
    auto& self = static_cast<W&>(worker);
    if constexpr (std::is_void_v<R>) {
      (self.*Method)(*message);
      answer_empty(d);
    } else if constexpr (IsResult<R>::value) {
      auto result = (self.*Method)(*message);
      if (!result) return answer_error(d, result.error());
      if constexpr (std::is_void_v<typename IsResult<R>::type>) {
        answer_empty(d);
      } else {
        answer(d, *result);
      }
    } else {
      answer(d, (self.*Method)(*message));
    }
  }
};

/// The handler answers itself, later.
template <class W, class R, class M, auto Method>
struct ReplyingHandler {
  using Message = M;
  static void invoke(Worker& worker, Delivery& d) {
    auto message = decode<M>(d.body);
    if (!message) return answer_error(d, message.error());
    auto holder = std::make_shared<ReplyHolder>(std::exchange(d.reply, nullptr), d.named_reply);
    (static_cast<W&>(worker).*Method)(*message, Reply<R>(std::move(holder)));
  }
};

/// What a handler's signature asks for; none of these: it is no handler.
template <class F, auto Method>
struct SignatureOf : std::false_type {};
template <class W, class R, class M, auto Method>
struct SignatureOf<R (W::*)(const M&), Method> : std::true_type {
  using Handler = ReturningHandler<W, R, M, Method>;
};
template <class W, class R, class M, auto Method>
struct SignatureOf<R (W::*)(const M&) const, Method> : std::true_type {
  using Handler = ReturningHandler<W, R, M, Method>;
};
template <class W, class R, class M, auto Method>
struct SignatureOf<void (W::*)(const M&, Reply<R>), Method> : std::true_type {
  using Handler = ReplyingHandler<W, R, M, Method>;
};

template <auto Method>
struct MethodHandler {
  using Signature = SignatureOf<decltype(Method), Method>;
  static_assert(
      Signature::value,
      "a handler is R f(const M&), Result<R> f(const M&), void f(const M&) or void f(const M&, Reply<R>)");
  using Handler = typename Signature::Handler;
  using Message = typename Handler::Message;
  static void invoke(Worker& worker, Delivery& d) { Handler::invoke(worker, d); }
};

template <class W, Result<Bytes> (W::*Method)(std::string_view, std::string_view)>
void invoke_raw(Worker& worker, Delivery& d) {
  auto result = (static_cast<W&>(worker).*Method)(d.message, d.body);
  if (auto sink = std::exchange(d.reply, nullptr)) sink->finish(std::move(result));
}
}  // namespace detail

/// The handler table of a worker class, built once when the class is registered.
template <class W>
class Handlers {
 public:
  /// `R f(const M&)`, `Result<R> f(const M&)`, `void f(const M&)` or `void f(const M&, Reply<R>)`.
  template <auto Method>
  Handlers& on() {
    return add(std::string(message_name<typename detail::MethodHandler<Method>::Message>()),
               &detail::MethodHandler<Method>::invoke, false);
  }
  template <auto Method>
  Handlers& on(InlineHandler) {
    return add(std::string(message_name<typename detail::MethodHandler<Method>::Message>()),
               &detail::MethodHandler<Method>::invoke, true);
  }
  /// `Result<Bytes> f(std::string_view message, std::string_view body)`: everything no other handler takes.
  template <auto Method>
  Handlers& on_raw() {
    raw_ = &detail::invoke_raw<W, Method>;
    return *this;
  }

  std::vector<HandlerEntry> entries{};
  HandlerFn raw() const { return raw_; }

 private:
  Handlers& add(std::string name, HandlerFn fn, bool run_inline) {
    entries.push_back({std::move(name), fn, run_inline});
    return *this;
  }
  HandlerFn raw_ = nullptr;
};

/// What the runtime knows of a worker class. Immutable after registration.
struct WorkerClass {
  std::string type{};
  std::vector<HandlerEntry> handlers{};  ///< sorted by name
  HandlerFn raw = nullptr;
  std::function<std::unique_ptr<Worker>(const Bytes& args)> make{};  ///< throws when the args do not fit
  std::function<Bytes(Worker&)> save{};                              ///< empty function: no handover state
  std::function<void(Worker&, std::string_view)> load{};

  PROCESSHUB_API const HandlerEntry* find(std::string_view message) const;
};

namespace detail {
struct NamesHandlers {
  static void handlers();
};
/// In both bases the name is ambiguous, also where the class keeps it private: a slip that would otherwise
/// leave it without any handler.
template <class W>
struct HandlersProbe : W, NamesHandlers {};

template <class W>
constexpr bool names_handlers() {
  if constexpr (std::is_final_v<W>) {
    return false;
  } else {
    return !requires { &HandlersProbe<W>::handlers; };
  }
}
}  // namespace detail

/// The worker classes of a program, by the name used in ChildSpec::type. Build it, then hand it to
/// Hub::start.
class PROCESSHUB_API WorkerTypes {
 public:
  template <class W>
  WorkerTypes& add(std::string type) {
    static_assert(std::derived_from<W, Worker>, "a worker class derives from processhub::Worker");
    Handlers<W> handlers;
    constexpr bool callable = requires { W::handlers(handlers); };
    static_assert(
        callable || !detail::names_handlers<W>(),
        "handlers() of a worker class must be public: static void handlers(processhub::Handlers<Class>&)");
    if constexpr (callable) W::handlers(handlers);
    WorkerClass c;
    c.type = std::move(type);
    c.handlers = std::move(handlers.entries);
    c.raw = handlers.raw();
    c.make = [](const Bytes& args) { return make<W>(args); };
    if constexpr (requires(W & w, std::string_view s) {
                    Bytes(w.save_state());
                    w.load_state(s);
                  }) {
      c.save = [](Worker& w) { return Bytes(static_cast<W&>(w).save_state()); };
      c.load = [](Worker& w, std::string_view s) { static_cast<W&>(w).load_state(s); };
    } else if constexpr (requires(W & w) { w.state(); }) {
      using State = std::decay_t<decltype(std::declval<W&>().state())>;
      c.save = [](Worker& w) { return encode(static_cast<W&>(w).state()); };
      c.load = [](Worker& w, std::string_view s) { static_cast<W&>(w).state() = decode<State>(s).value(); };
    }
    return add(std::move(c));
  }
  /// Registers a class built by hand. A repeated type name or two handlers of one name make `error()`
  /// non-empty.
  WorkerTypes& add(WorkerClass worker_class);

  std::shared_ptr<const WorkerClass> find(std::string_view type) const;
  std::vector<std::string> names() const;
  /// The first registration mistake; Hub::start refuses with it.
  const std::string& error() const { return error_; }

 private:
  template <class W>
  static std::unique_ptr<Worker> make(const Bytes& args) {
    if constexpr (requires { typename W::Args; }) {
      using Args = typename W::Args;
      if (args.empty()) return std::make_unique<W>(Args{});
      auto decoded = decode<Args>(args);
      if (!decoded) throw std::invalid_argument("args: " + decoded.error().message);
      return std::make_unique<W>(std::move(*decoded));
    } else {
      return std::make_unique<W>();
    }
  }
  std::map<std::string, std::shared_ptr<const WorkerClass>, std::less<>> classes_{};
  std::string error_{};
};

}  // namespace processhub
