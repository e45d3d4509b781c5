#include "core/runtime/tap.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "processhub/topic.hpp"

namespace processhub::runtime {

namespace {

constexpr std::array<std::string_view, 4> kUsers = {"call", "cast", "reply", "topic"};

std::int64_t wall_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Tap::Entry entry_of(const protocol::Tapped& what) {
  Tap::Entry out;
  out.time_us = wall_us();
  out.hop = what.hop;
  out.kind = what.kind;
  out.peer = what.peer.name();
  out.child = what.child;
  out.message = what.message;
  out.topic = what.topic;
  out.token = what.token;
  if (what.trace != nullptr) out.trace = what.trace->str();
  out.size = what.body.size();
  if (what.body.size() <= Tap::kMostBody) out.body = what.body;
  return out;
}

}  // namespace

bool matches_id(std::string_view wanted, std::string_view id) {
  if (wanted.empty()) return true;
  return wanted.back() == '*' ? id.starts_with(wanted.substr(0, wanted.size() - 1)) : id == wanted;
}

bool TapFilter::wants(const protocol::Tapped& what) const {
  if (kind == "hub") {
    if (std::find(kUsers.begin(), kUsers.end(), what.kind) != kUsers.end()) return false;
  } else if (!kind.empty() && kind != what.kind) {
    return false;
  }
  if (!matches_id(child, what.child)) return false;
  return topic.empty() || (!what.topic.empty() && topic_matches(topic, what.topic));
}

void Tap::note(const protocol::Tapped& what) {
  if (full_.load(std::memory_order_relaxed)) {
    passed_by_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) {
    passed_by_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  for (auto& watcher : watchers_) {
    if (!watcher.filter.wants(what)) continue;
    if (watcher.room == 0) {
      ++watcher.read.dropped;
      continue;
    }
    watcher.read.entries.push_back(entry_of(what));
    if (--watcher.room == 0) look_whether_full();
  }
}

/// Then a message costs one count.
void Tap::look_whether_full() {
  full_ = std::all_of(watchers_.begin(), watchers_.end(), [](const Watcher& watcher) {
    const auto& filter = watcher.filter;
    return watcher.room == 0 && filter.child.empty() && filter.kind.empty() && filter.topic.empty();
  });
}

Result<Tap::Read> Tap::read(std::uint64_t number, const TapFilter& filter, std::size_t most, Time now) {
  const std::lock_guard lock(mutex_);
  auto at =
      std::find_if(watchers_.begin(), watchers_.end(), [&](const auto& w) { return w.number == number; });
  if (at == watchers_.end()) {
    if (watchers_.size() == kWatchers)
      return {ErrorCode::overloaded, "4 others watch the messages of this node already"};
    at = watchers_.insert(watchers_.end(), Watcher{number, {}, 0, {}, {}});
    if (watchers_.size() == 1) passed_by_ = 0;
  }
  Read out = std::exchange(at->read, {});
  for (auto& watcher : watchers_) watcher.read.dropped += &watcher == &*at ? 0 : passed_by_.load();
  out.dropped += passed_by_.exchange(0);
  at->filter = filter;
  at->room = std::min(most, kMostKept);
  at->asked = now;
  look_whether_full();
  open_ = true;
  return out;
}

void Tap::forget_silent(Time now) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return;  // the next turn comes soon
  std::erase_if(watchers_, [&](const auto& watcher) { return now - watcher.asked > kPatience; });
  if (watchers_.empty()) open_ = false;
  look_whether_full();
}

}  // namespace processhub::runtime
