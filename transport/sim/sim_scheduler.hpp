// Virtual time: tasks run in the order of their due time, equal ones in the order they were added.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "processhub/time.hpp"

namespace processhub::sim {

class Scheduler {
 public:
  using Task = std::function<void()>;

  Time now() const { return now_; }
  void at(Time when, Task task);
  void after(Duration delay, Task task) { at(now_ + delay, std::move(task)); }
  /// Runs the next task if it is due by `limit`; false (and time stands at `limit`) if there is none.
  bool run_next(Time limit);
  void run_until(Time limit) {
    while (run_next(limit)) continue;
  }
  std::uint64_t executed() const { return executed_; }

 private:
  struct Entry {
    Time when{};
    std::uint64_t number = 0;
    Task task{};
  };
  struct Later {
    bool operator()(const Entry& a, const Entry& b) const {
      return a.when != b.when ? a.when > b.when : a.number > b.number;
    }
  };
  Time now_{};
  std::uint64_t added_ = 0;
  std::uint64_t executed_ = 0;
  std::vector<Entry> heap_{};
};

}  // namespace processhub::sim
