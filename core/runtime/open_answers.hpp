// The requests that the core has not answered yet, and how each ends. Loop thread only, but for end().
// Users' callbacks never run on the loop: a promise that has any is completed on the callback pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <variant>

#include "core/protocol/containers.hpp"
#include "core/protocol/event.hpp"
#include "core/runtime/callback_pool.hpp"
#include "core/runtime/open_calls.hpp"
#include "processhub/child.hpp"
#include "processhub/future.hpp"

namespace processhub::runtime {

/// Takes the answer of a call. False, and the answer untouched: users' callbacks would have to run, and this
/// thread may not run them; then it is called again on the callback pool.
using CallAnswer = std::function<bool(Result<Bytes>& answer, bool may_run_callbacks)>;

using Answer = std::variant<std::monostate, Promise<StartResult>, Promise<StopResult>, Promise<void>,
                            Promise<std::uint64_t>, CallAnswer>;

class OpenAnswers {
 public:
  explicit OpenAnswers(CallbackPool& callbacks) : callbacks_(callbacks) {}

  void open(protocol::Token token, Answer answer) { open_.emplace(token, std::move(answer)); }
  /// An unknown token is ignored: the request has ended already.
  template <class T>
  void complete(protocol::Token token, Result<T> result) {
    auto found = open_.find(token);
    if (found == open_.end()) return;
    auto answer = std::move(found->second);
    open_.erase(found);
    if constexpr (std::is_same_v<T, Bytes>) {
      if (auto* call = std::get_if<CallAnswer>(&answer)) end_call(callbacks_, *call, std::move(result));
    } else {
      if (auto* promise = std::get_if<Promise<T>>(&answer))
        end_promise(callbacks_, *promise, std::move(result));
    }
  }
  /// Ends every open request with the error.
  void end_all(const Error& error);
  std::size_t size() const { return open_.size(); }

  /// Any thread: ends a request that did not get as far as the loop.
  static void end(CallbackPool& callbacks, Answer answer, const Error& error);
  /// Any thread.
  static void end_call(CallbackPool& callbacks, const CallAnswer& call, Result<Bytes> result);

 private:
  template <class T>
  static void end_promise(CallbackPool& callbacks, const Promise<T>& promise, Result<T> result) {
    if (promise.complete_quietly(result)) return;
    callbacks.post([promise, result = std::move(result)]() mutable { promise.complete(std::move(result)); });
  }

  CallbackPool& callbacks_;
  protocol::HashMap<protocol::Token, Answer> open_{};
};

}  // namespace processhub::runtime
