// The requests that the core has not answered yet, and how each ends. Loop thread only, but for end().
// Users' callbacks never run on the loop: a promise that has any is completed on the callback pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/protocol/containers.hpp"
#include "core/protocol/event.hpp"
#include "core/runtime/callback_pool.hpp"
#include "core/runtime/open_calls.hpp"
#include "processhub/child.hpp"
#include "processhub/future.hpp"

namespace processhub::runtime {

using CallAnswer = std::shared_ptr<processhub::detail::CallSink>;

/// An answer that goes to a function, which must not run users' callbacks.
class CallTo final : public processhub::detail::CallSink {
 public:
  explicit CallTo(std::function<void(Result<Bytes>)> done) : done_(std::move(done)) {}
  bool finish(Result<Bytes>& answer, bool) override {
    done_(std::move(answer));
    return true;
  }

 private:
  std::function<void(Result<Bytes>)> done_;
};

/// A call whose answer is handed over as it is.
class RawCall final : public processhub::detail::FutureState<Bytes>, public processhub::detail::CallSink {
 public:
  bool finish(Result<Bytes>& answer, bool may_run_callbacks) override {
    if (!may_run_callbacks) return complete_quietly(answer);
    complete(std::move(answer));
    return true;
  }
};

using Answer = std::variant<std::monostate, Promise<StartResult>, Promise<StopResult>, Promise<void>,
                            Promise<std::uint64_t>, CallAnswer>;

class OpenAnswers {
 public:
  explicit OpenAnswers(CallbackPool& callbacks) : callbacks_(callbacks) {}

  void open(protocol::Token token, Answer&& answer) { open_.emplace(token, std::move(answer)); }
  /// An unknown token is ignored: the request has ended already.
  template <class T>
  void complete(protocol::Token token, Result<T>&& result) {
    auto found = open_.find(token);
    if (found == open_.end()) return;
    using Of = std::conditional_t<std::is_same_v<T, Bytes>, CallAnswer, Promise<T>>;
    auto* place = std::get_if<Of>(&found->second);
    if (place == nullptr) return;
    const auto answer = std::move(*place);
    open_.erase(found);
    if constexpr (std::is_same_v<T, Bytes>) {
      end_call(callbacks_, answer, std::move(result));
    } else {
      end_promise(callbacks_, answer, std::move(result));
    }
  }
  /// Ends every open request with the error.
  void end_all(const Error& error);
  std::size_t size() const { return open_.size(); }

  /// Any thread: ends a request that did not get as far as the loop.
  static void end(CallbackPool& callbacks, Answer answer, const Error& error);
  /// Any thread.
  static void end_call(CallbackPool& callbacks, const CallAnswer& call, Result<Bytes>&& result);

 private:
  template <class T>
  static void end_promise(CallbackPool& callbacks, const Promise<T>& promise, Result<T>&& result) {
    if (promise.complete_quietly(result)) return;
    callbacks.post([promise, result = std::move(result)]() mutable { promise.complete(std::move(result)); });
  }

  CallbackPool& callbacks_;
  protocol::HashMap<protocol::Token, Answer> open_{};
};

}  // namespace processhub::runtime
