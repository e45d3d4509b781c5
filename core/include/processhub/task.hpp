// Coroutines inside a worker: a handler that returns Task<R> may co_await ctx().call<R>(...),
// ctx().sleep(...) and other tasks. It blocks nobody, and other messages are handled while it waits. Each
// part of it between two waits is a turn of the worker, or the rest of one. When the worker stops, or
// crashes, what still waits is destroyed, with the destructors of its locals, before the worker is.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

namespace processhub {

namespace detail {

/// The coroutines of one worker that nobody awaits. Turns of the worker only.
class TaskSet {
 public:
  /// A place in the set; left by its destructor.
  class Place {
   public:
    explicit Place(TaskSet& set) : set_(set), at_(set.places_.size()) { set.places_.push_back(this); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      set_.places_[at_] = set_.places_.back();
      set_.places_[at_]->at_ = at_;
      set_.places_.pop_back();
    }
    std::coroutine_handle<> handle{};

   private:
    TaskSet& set_;
    std::size_t at_;
  };

  TaskSet() = default;
  TaskSet(const TaskSet&) = delete;
  TaskSet& operator=(const TaskSet&) = delete;
  ~TaskSet() {
    while (!places_.empty()) places_.back()->handle.destroy();
  }
  std::size_t size() const { return places_.size(); }

 private:
  std::vector<Place*> places_{};
};

/// A coroutine that runs from the start and belongs to a TaskSet, its first argument. What it throws leaves
/// through whoever resumed it: the turn, which is then a crash.
struct RootTask {
  struct promise_type {
    template <class... Args>
    explicit promise_type(TaskSet& set, Args&&...) : place(set) {
      place.handle = std::coroutine_handle<promise_type>::from_promise(*this);
    }
    RootTask get_return_object() { return {place.handle}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }  // which destroys it
    void return_void() {}
    void unhandled_exception() { throw; }
    TaskSet::Place place;
  };
  std::coroutine_handle<> handle{};
};

/// What a Task's promise does whatever its type.
struct TaskPromiseBase {
  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> ended) const noexcept {
      return ended.promise().awaiting;
    }
    void await_resume() const noexcept {}
  };
  std::suspend_always initial_suspend() const noexcept { return {}; }
  Final final_suspend() const noexcept { return {}; }
  void unhandled_exception() { thrown = std::current_exception(); }
  void rethrow() const {
    if (thrown) std::rethrow_exception(thrown);
  }
  std::coroutine_handle<> awaiting{};
  std::exception_ptr thrown{};
};

template <class T>
struct TaskPromise : TaskPromiseBase {
  auto get_return_object() { return std::coroutine_handle<TaskPromise>::from_promise(*this); }
  template <class U>
  void return_value(U&& v) {
    value.emplace(std::forward<U>(v));
  }
  T take() {
    rethrow();
    return std::move(*value);
  }
  std::optional<T> value{};
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
  auto get_return_object() { return std::coroutine_handle<TaskPromise>::from_promise(*this); }
  void return_void() {}
  void take() const { rethrow(); }
};

}  // namespace detail

/// A coroutine of a worker. It starts when it is awaited, or by being what a handler returns, or by
/// spawn(). Exceptions go to whoever awaits it.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;

  Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}  // NOLINT: made by its promise
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) const noexcept {
    handle_.promise().awaiting = awaiting;
    return handle_;
  }
  T await_resume() const { return handle_.promise().take(); }

 private:
  std::coroutine_handle<promise_type> handle_;
};

namespace detail {
inline RootTask run_task(TaskSet&, Task<> task) { co_await task; }
}  // namespace detail

}  // namespace processhub
