// Future<T>: the answer to a request. Copyable; all copies see the one answer. Any thread.
// Inside a worker get() answers `would_block` at once unless the answer is there: use then() or ctx().call.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "processhub/result.hpp"

namespace processhub {

namespace detail {
/// True on a thread that is running a worker's turn.
PROCESSHUB_API bool inside_worker();

template <class T>
struct FutureState {
  std::mutex mutex{};
  std::condition_variable ready{};
  std::optional<Result<T>> value{};
  std::vector<std::function<void(const Result<T>&)>> callbacks{};

  /// The first answer wins; later ones are ignored.
  void complete(Result<T>&& answer) {
    std::vector<std::function<void(const Result<T>&)>> waiting;
    {
      std::lock_guard lock(mutex);
      if (value) return;
      value.emplace(std::move(answer));
      waiting.swap(callbacks);
    }
    ready.notify_all();
    for (auto& callback : waiting) callback(*value);
  }
  /// The same for threads that must not run users' callbacks: false, and `answer` untouched, if there are
  /// any.
  bool complete_quietly(Result<T>& answer) {
    {
      std::lock_guard lock(mutex);
      if (value) return true;
      if (!callbacks.empty()) return false;
      value.emplace(std::move(answer));
    }
    ready.notify_all();
    return true;
  }
};

/// Where the answer of a call goes.
class CallSink {
 public:
  virtual ~CallSink() = default;
  /// False, and the answer untouched: users' callbacks would have to run, and may not on this thread; then it
  /// is called again on the callback pool. So a thread that waits for the answer is woken without a detour.
  virtual bool finish(Result<std::string>& answer, bool may_run_callbacks) = 0;
};
}  // namespace detail

template <class T>
class Future {
 public:
  Future() : state_(std::make_shared<detail::FutureState<T>>()) {}
  /// A future that is complete from the start.
  explicit Future(Result<T> value) : Future() { state_->value.emplace(std::move(value)); }
  explicit Future(std::shared_ptr<detail::FutureState<T>> state) : state_(std::move(state)) {}

  bool ready() const {
    std::lock_guard lock(state_->mutex);
    return state_->value.has_value();
  }
  /// Waits for the answer. Every request has a deadline of its own, so this ends.
  Result<T> get() const {
    std::unique_lock lock(state_->mutex);
    if (!state_->value && detail::inside_worker())
      return {ErrorCode::would_block, "a worker must not wait for a future"};
    state_->ready.wait(lock, [&] { return state_->value.has_value(); });
    return *state_->value;
  }
  /// The answer if it comes within `time`.
  template <class Rep, class Period>
  std::optional<Result<T>> wait_for(std::chrono::duration<Rep, Period> time) const {
    std::unique_lock lock(state_->mutex);
    if (!state_->value && detail::inside_worker()) return std::nullopt;
    state_->ready.wait_for(lock, time, [&] { return state_->value.has_value(); });
    return state_->value;
  }
  /// Calls `callback` once with the answer: at once on this thread if it is there, else on the hub's callback
  /// pool.
  void then(std::function<void(const Result<T>&)> callback) const {
    std::unique_lock lock(state_->mutex);
    if (!state_->value) {
      state_->callbacks.push_back(std::move(callback));
      return;
    }
    lock.unlock();
    callback(*state_->value);
  }

 private:
  template <class U>
  friend class Promise;
  std::shared_ptr<detail::FutureState<T>> state_;
};

/// The writing end. The first complete() wins; later ones are ignored.
template <class T>
class Promise {
 public:
  Future<T> future() const { return future_; }
  void complete(Result<T> value) const { future_.state_->complete(std::move(value)); }
  bool complete_quietly(Result<T>& value) const { return future_.state_->complete_quietly(value); }

 private:
  Future<T> future_{};
};

}  // namespace processhub
