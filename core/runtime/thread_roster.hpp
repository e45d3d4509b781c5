// ThreadRoster: the threads of one WorkerHost. Each is joined after it ended, unless it was abandoned: then
// it is left behind.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace processhub::runtime {

class ThreadRoster {
 public:
  using Id = std::uint64_t;

  ThreadRoster() = default;
  ThreadRoster(const ThreadRoster&) = delete;
  ThreadRoster& operator=(const ThreadRoster&) = delete;
  ~ThreadRoster() = default;

  /// Runs `body(id)` on a new thread. Throws std::system_error if the system has no thread left.
  Id spawn(std::function<void(Id)> body);
  /// Lets go of a thread that does not return; the thread itself must not touch the roster any more once it
  /// knows.
  void abandon(Id id);
  /// Joins the threads that have ended.
  void reap();
  /// Waits until all threads have ended or `deadline`, and joins those that did. True if none is left.
  bool join_until(std::chrono::steady_clock::time_point deadline);

 private:
  void ended(Id id);

  std::mutex mutex_{};
  std::condition_variable changed_{};
  std::map<Id, std::thread> threads_{};
  std::vector<std::thread> ended_{};
  Id last_id_ = 0;
};

}  // namespace processhub::runtime
