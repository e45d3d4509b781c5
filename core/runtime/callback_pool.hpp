// The few threads on which users' callbacks run: completed futures, admin requests. Never the loop, never a
// worker's turn.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace processhub::runtime {

class CallbackPool {
 public:
  /// `report` is told, on a pool thread, of a callback that threw.
  CallbackPool(std::size_t threads, std::function<void(std::string)> report);
  ~CallbackPool();  ///< stop()
  CallbackPool(const CallbackPool&) = delete;
  CallbackPool& operator=(const CallbackPool&) = delete;

  /// Any thread. After stop() the task is dropped, unrun.
  void post(std::function<void()> task);
  /// Runs what was posted, then ends the threads. Not from a pool thread.
  void stop();
  /// True on a thread of any CallbackPool.
  static bool on_pool_thread();

 private:
  void work();
  void run(const std::function<void()>& task);

  const std::function<void(std::string)> report_;
  std::mutex mutex_{};
  std::condition_variable more_{};
  std::deque<std::function<void()>> tasks_{};
  bool stopping_ = false;
  std::vector<std::thread> threads_{};
};

}  // namespace processhub::runtime
