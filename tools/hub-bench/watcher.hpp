// Looks at a hub's registry every half millisecond and writes what it shows on the board, with the time of
// the last change.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "processhub/hub.hpp"
#include "tools/hub-bench/board.hpp"

namespace processhub::hub_bench {

/// The ids of `count` children: "b-0", "b-1" …
std::vector<std::string> child_ids(std::uint64_t count);

class Watcher {
 public:
  struct Task {
    std::uint64_t number = 0;  ///< of the watch; the parent counts them
    std::uint64_t count = 0;   ///< children to wait for
    std::string avoid{};       ///< a node that shall run none of them
  };

  /// Watches until it is destroyed. `hub` and `slot` outlive it.
  Watcher(const Hub& hub, NodeSlot& slot, Task task);

 private:
  struct Seen {
    std::uint64_t total = 0;
    std::uint64_t running = 0;
    std::uint64_t digest = 0;
    bool operator==(const Seen&) const = default;
  };
  void run(const std::stop_token& stop);
  Seen look();
  bool runs(const std::string& id) const;
  void write(const Seen& seen);

  const Hub& hub_;
  NodeSlot& slot_;
  const Task task_;
  const std::vector<std::string> ids_;
  std::uint64_t running_ = 0;
  std::mutex mutex_{};
  std::condition_variable_any stopped_{};
  std::jthread thread_;  // last: uses all of the above
};

}  // namespace processhub::hub_bench
