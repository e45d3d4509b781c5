#include "core/runtime/cluster_view.hpp"

#include <utility>

namespace processhub::runtime {

void ClusterView::publish(protocol::ClusterSnapshot snapshot) {
  locked_.store(snapshot.locked);
  partitioned_.store(snapshot.partitioned);
  auto next = std::make_shared<const protocol::ClusterSnapshot>(std::move(snapshot));
  {
    std::lock_guard lock(mutex_);
    snapshot_.swap(next);
  }
  changed_.notify_all();
}

void ClusterView::publish(const HubStats& stats, const LoopMeters& meters) {
  std::lock_guard lock(mutex_);
  stats_ = stats;
  meters_ = meters;
}

void ClusterView::end(std::string why) {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
    why_ended_ = std::move(why);
  }
  changed_.notify_all();
}

std::shared_ptr<const protocol::ClusterSnapshot> ClusterView::get() const {
  std::lock_guard lock(mutex_);
  return snapshot_;
}

HubStats ClusterView::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

LoopMeters ClusterView::meters() const {
  std::lock_guard lock(mutex_);
  return meters_;
}

bool ClusterView::wait_joined(std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return ended_ || snapshot_->joined; });
  return !ended_ && snapshot_->joined;
}

bool ClusterView::ended() const {
  std::lock_guard lock(mutex_);
  return ended_;
}

std::string ClusterView::why_ended() const {
  std::lock_guard lock(mutex_);
  return why_ended_;
}

}  // namespace processhub::runtime
