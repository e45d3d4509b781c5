// What any thread may ask of the hub as a whole: members, lock, quorum, counters. Written by the loop thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "core/protocol/hub_core.hpp"
#include "core/protocol/meters.hpp"

namespace processhub::runtime {

/// What is measured in the loop.
struct LoopMeters {
  protocol::Meters core{};
  protocol::Distribution lag{};  ///< stretches without returning to the poll
};

class ClusterView {
 public:
  void publish(protocol::ClusterSnapshot snapshot);
  void publish(const HubStats& stats, const LoopMeters& meters);
  /// The node lives no longer; `why` is empty after an ordinary stop. Ends every wait.
  void end(std::string why);

  std::shared_ptr<const protocol::ClusterSnapshot> get() const;
  HubStats stats() const;
  LoopMeters meters() const;
  bool is_locked() const { return locked_.load(); }
  bool is_partitioned() const { return partitioned_.load(); }
  /// True once the node has joined; false if the time runs out or the node ends first.
  bool wait_joined(std::chrono::milliseconds timeout) const;
  bool ended() const;
  std::string why_ended() const;

 private:
  mutable std::mutex mutex_{};
  mutable std::condition_variable changed_{};
  std::shared_ptr<const protocol::ClusterSnapshot> snapshot_ = std::make_shared<protocol::ClusterSnapshot>();
  HubStats stats_{};
  LoopMeters meters_{};
  bool ended_ = false;
  std::string why_ended_{};
  std::atomic<bool> locked_{false};
  std::atomic<bool> partitioned_{false};
};

}  // namespace processhub::runtime
