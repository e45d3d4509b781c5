#include "core/runtime/thread_roster.hpp"

#include <utility>

namespace processhub::runtime {

ThreadRoster::Id ThreadRoster::spawn(std::function<void(Id)> body) {
  std::lock_guard lock(mutex_);  // the new thread cannot report its end before it is listed
  const Id id = ++last_id_;
  threads_.emplace(id, std::thread([this, id, run = std::move(body)] {
                     run(id);
                     ended(id);
                   }));
  return id;
}

void ThreadRoster::abandon(Id id) {
  std::lock_guard lock(mutex_);
  auto it = threads_.find(id);
  if (it == threads_.end()) return;
  it->second.detach();
  threads_.erase(it);
  changed_.notify_all();
}

void ThreadRoster::ended(Id id) {
  std::lock_guard lock(mutex_);
  auto it = threads_.find(id);
  if (it == threads_.end()) return;
  ended_.push_back(std::move(it->second));
  threads_.erase(it);
  changed_.notify_all();
}

void ThreadRoster::reap() {
  std::vector<std::thread> ended;
  {
    std::lock_guard lock(mutex_);
    ended.swap(ended_);
  }
  for (auto& thread : ended) thread.join();
}

bool ThreadRoster::join_until(std::chrono::steady_clock::time_point deadline) {
  bool none_left = false;
  {
    std::unique_lock lock(mutex_);
    none_left = changed_.wait_until(lock, deadline, [this] { return threads_.empty(); });
  }
  reap();
  return none_left;
}

}  // namespace processhub::runtime
