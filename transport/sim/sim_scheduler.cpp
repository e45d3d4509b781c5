#include "transport/sim/sim_scheduler.hpp"

#include <algorithm>
#include <utility>

namespace processhub::sim {

void Scheduler::at(Time when, Task task) {
  heap_.push_back({std::max(when, now_), ++added_, std::move(task)});
  std::push_heap(heap_.begin(), heap_.end(), Later{});
}

bool Scheduler::run_next(Time limit) {
  if (heap_.empty() || heap_.front().when > limit) {
    now_ = std::max(now_, limit);
    return false;
  }
  std::pop_heap(heap_.begin(), heap_.end(), Later{});
  Entry entry = std::move(heap_.back());
  heap_.pop_back();
  now_ = entry.when;
  ++executed_;
  entry.task();
  return true;
}

}  // namespace processhub::sim
