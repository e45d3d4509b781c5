// Handlers<W>: which member function of a worker class takes which message. Declared once per class.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "processhub/task.hpp"
#include "processhub/worker_context.hpp"

namespace processhub {

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
inline void answer(Delivery& d, Result<Bytes> answer) {
  if (auto sink = std::exchange(d.reply, nullptr)) sink->finish(std::move(answer));
}

/// Answers with what the handler returns.
template <class W, class R, class M, auto Method>
struct ReturningHandler {
  using Message = M;
  static void invoke(Worker& worker, Delivery& d) {
    auto message = decode<M>(d.body);
    if (!message) return answer(d, message.error());
    auto& self = static_cast<W&>(worker);
    if constexpr (std::is_void_v<R>) {
      (self.*Method)(*message);
      answer(d, answer_of(Result<void>(), d.named_reply));
    } else {
      const auto& result = (self.*Method)(*message);
      if (d.reply) answer(d, answer_of(result, d.named_reply));  // nobody needs that of a cast encoded
    }
  }
};

/// The handler answers itself, later.
template <class W, class R, class M, auto Method>
struct ReplyingHandler {
  using Message = M;
  static void invoke(Worker& worker, Delivery& d) {
    auto message = decode<M>(d.body);
    if (!message) return answer(d, message.error());
    auto holder = std::make_shared<ReplyHolder>(std::exchange(d.reply, nullptr), d.named_reply);
    (static_cast<W&>(worker).*Method)(*message, Reply<R>(std::move(holder)));
  }
};

/// Runs the handler's coroutine to its end, then answers. The message lives here as long as that takes.
template <class R, auto Method, class W, class M>
RootTask answer_with_task(TaskSet&, W& self, M message, std::shared_ptr<ReplyHolder> holder) {
  if constexpr (std::is_void_v<R>) {
    co_await (self.*Method)(message);
    holder->finish(answer_of(Result<void>(), holder->named()));
  } else {
    const auto result = co_await (self.*Method)(message);
    holder->finish(answer_of(result, holder->named()));
  }
}

/// The handler is a coroutine.
template <class W, class R, class M, auto Method>
struct TaskHandler {
  using Message = M;
  static void invoke(Worker& worker, Delivery& d) {
    auto message = decode<M>(d.body);
    if (!message) return answer(d, message.error());
    auto holder = std::make_shared<ReplyHolder>(std::exchange(d.reply, nullptr), d.named_reply);
    auto& self = static_cast<W&>(worker);
    answer_with_task<R, Method>(TaskAccess::tasks_of(worker), self, std::move(*message), std::move(holder))
        .handle.resume();
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

template <class W, class R, class M, auto Method>
struct SignatureOf<Task<R> (W::*)(const M&), Method> : std::true_type {
  using Handler = TaskHandler<W, R, M, Method>;
};
template <class W, class R, class M, auto Method>
struct SignatureOf<Task<R> (W::*)(M), Method> : std::true_type {
  using Handler = TaskHandler<W, R, M, Method>;
};

template <auto Method>
struct MethodHandler {
  using Signature = SignatureOf<decltype(Method), Method>;
  static_assert(
      Signature::value,
      "a handler is R f(const M&), Result<R> f(const M&), void f(const M&), void f(const M&, Reply<R>) or a "
      "coroutine Task<R> f(const M&)");
  // Its functions are registered, not one of this template: with a method alone as argument, g++ 12 takes
  // those of classes of one name in two anonymous namespaces for the same.
  using Handler = typename Signature::Handler;
  using Message = typename Handler::Message;
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
  /// `R f(const M&)`, `Result<R> f(const M&)`, `void f(const M&)`, `void f(const M&, Reply<R>)`, or a
  /// coroutine `Task<R> f(const M&)`, where R may be void or Result<...>; its message lives until it ends.
  template <auto Method>
  Handlers& on() {
    return add(std::string(message_name<typename detail::MethodHandler<Method>::Message>()),
               &detail::MethodHandler<Method>::Handler::invoke, false);
  }
  template <auto Method>
  Handlers& on(InlineHandler) {
    return add(std::string(message_name<typename detail::MethodHandler<Method>::Message>()),
               &detail::MethodHandler<Method>::Handler::invoke, true);
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

}  // namespace processhub
