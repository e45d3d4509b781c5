// Looks at a cluster again and again on a thread of its own, for what the live view wishes to show. Goes on
// with another node when the one it asked is lost.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "tools/zmq-monitor/asking.hpp"
#include "tools/zmq-monitor/top_model.hpp"

namespace processhub::monitor {

class TopWatch {
 public:
  /// `news` is called on the watch's thread whenever there is a picture to take.
  TopWatch(LookOptions options, std::chrono::milliseconds every, std::function<void()> news);
  /// Waits for the look that is under way: at most a few times the patience with a node.
  ~TopWatch();
  TopWatch(const TopWatch&) = delete;
  TopWatch& operator=(const TopWatch&) = delete;

  /// Any thread. A new wish is looked at at once.
  void wish(const Wish& wish);
  /// Any thread. The newest picture, once.
  std::optional<Picture> take();

 private:
  void run(const std::stop_token& stop);
  Picture look(const Wish& wish);
  std::vector<std::string> addresses() const;
  void fill(Picture& picture, const ClusterLook& look, double seconds);
  void fill_children(Picture& picture, const ClusterLook& look);

  const LookOptions options_;
  const std::chrono::milliseconds every_;
  const std::function<void()> news_;

  // of the thread
  std::vector<std::string>
      answering_{};  ///< addresses of the nodes that answered last; the first told of the others
  ClusterLook before_{};
  std::chrono::steady_clock::time_point looked_at_{};

  std::mutex mutex_{};
  std::condition_variable_any changed_{};
  Wish wish_{};
  bool fresh_ = true;  ///< the wish was not looked at yet
  std::optional<Picture> picture_{};
  std::jthread thread_{};  ///< last: it uses all of the above
};

}  // namespace processhub::monitor
