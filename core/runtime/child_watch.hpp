// ChildWatch: which workers of this node want to know of which children, and what each was told last. Any
// thread, but changed() is called by the loop, behind RegistryView::apply().
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "core/runtime/registry_view.hpp"
#include "processhub/worker_context.hpp"

namespace processhub::runtime {

class ChildWatch {
 public:
  /// Hands news to a worker of this node. Called with a lock held: it must not come back here.
  using Deliver = std::function<void(std::uint64_t serial, MonitorId monitor, ChildNews news)>;

  ChildWatch(const RegistryView& registry, Deliver deliver)
      : registry_(registry), deliver_(std::move(deliver)) {}

  /// The first news, how the child is now, is on its way when this returns.
  void add(std::uint64_t serial, MonitorId monitor, std::string_view id);
  /// `monitor` 0: all of this worker.
  void remove(std::uint64_t serial, MonitorId monitor);
  bool any() const { return count_.load(std::memory_order_relaxed) != 0; }
  void changed(const std::string& id);

 private:
  using Key = std::pair<std::uint64_t, MonitorId>;

  const RegistryView& registry_;
  const Deliver deliver_;
  std::mutex mutex_{};
  std::map<std::string, std::map<Key, ChildNews>, std::less<>>
      watched_{};  ///< by id, with what was told last
  std::map<Key, std::string> ids_{};
  std::atomic<std::size_t> count_{0};
};

}  // namespace processhub::runtime
