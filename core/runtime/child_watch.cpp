#include "core/runtime/child_watch.hpp"

#include <optional>

namespace processhub::runtime {

void ChildWatch::add(std::uint64_t serial, MonitorId monitor, std::string_view id) {
  std::lock_guard lock(mutex_);
  const Key key{serial, monitor};
  ids_[key] = id;
  count_ = ids_.size();  // from here on the loop tells of changes; what it changed before is seen now
  auto news = news_of(std::string(id), registry_.lookup(id));
  watched_[std::string(id)][key] = news;
  deliver_(serial, monitor, std::move(news));
}

void ChildWatch::remove(std::uint64_t serial, MonitorId monitor) {
  std::lock_guard lock(mutex_);
  for (auto it = ids_.lower_bound({serial, monitor}); it != ids_.end() && it->first.first == serial;) {
    if (monitor != 0 && it->first.second != monitor) break;
    const auto watched = watched_.find(it->second);
    watched->second.erase(it->first);
    if (watched->second.empty()) watched_.erase(watched);
    it = ids_.erase(it);
  }
  count_ = ids_.size();
}

void ChildWatch::changed(const std::string& id) {
  std::lock_guard lock(mutex_);
  const auto watched = watched_.find(id);
  if (watched == watched_.end()) return;
  const auto news = news_of(id, registry_.lookup(id));
  for (auto& [key, told] : watched->second) {
    if (told == news) continue;
    told = news;
    deliver_(key.first, key.second, news);
  }
}

}  // namespace processhub::runtime
