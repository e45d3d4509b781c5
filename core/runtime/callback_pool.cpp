#include "core/runtime/callback_pool.hpp"

#include <exception>
#include <utility>

namespace processhub::runtime {

namespace {
thread_local bool this_is_a_pool_thread = false;
}

CallbackPool::CallbackPool(std::size_t threads, std::function<void(std::string)> report)
    : report_(std::move(report)) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

CallbackPool::~CallbackPool() { stop(); }

void CallbackPool::post(std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    tasks_.push_back(std::move(task));
  }
  more_.notify_one();
}

void CallbackPool::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  more_.notify_all();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

bool CallbackPool::on_pool_thread() { return this_is_a_pool_thread; }

void CallbackPool::work() {
  this_is_a_pool_thread = true;
  std::unique_lock lock(mutex_);
  for (;;) {
    more_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    run(task);
    task = nullptr;  // what it captured may have destructors of the user's
    lock.lock();
  }
}

void CallbackPool::run(const std::function<void()>& task) {
  try {
    task();
  } catch (const std::exception& e) {
    report_(std::string("a callback threw: ") + e.what());
  } catch (...) {
    report_("a callback threw something that is no std::exception");
  }
}

}  // namespace processhub::runtime
