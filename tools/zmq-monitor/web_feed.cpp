#include "tools/zmq-monitor/web_feed.hpp"

#include <utility>

namespace processhub::monitor {

namespace {

constexpr const char* kNothing = ": nothing new\n\n";

/// `data` has no line ends: it is JSON in one line.
std::string message(const char* kind, const std::string& data) {
  return std::string("event: ") + kind + "\ndata: " + data + "\n\n";
}

}  // namespace

void WebFeed::publish_look(std::string json) {
  std::lock_guard lock(mutex_);
  ++look_;
  look_json_ = std::move(json);
  news_.notify_all();
}

void WebFeed::publish_events(std::vector<std::string> json) {
  if (json.empty()) return;
  std::lock_guard lock(mutex_);
  for (auto& one : json) {
    ++event_;
    events_.push_back(std::move(one));
    if (events_.size() > kKept) events_.pop_front();
  }
  news_.notify_all();
}

bool WebFeed::wait_for_reader() {
  std::unique_lock lock(mutex_);
  readers_changed_.wait(lock, [this] { return closed_ || readers_ > 0; });
  return !closed_;
}

bool WebFeed::wait_until(std::chrono::steady_clock::time_point time) {
  std::unique_lock lock(mutex_);
  readers_changed_.wait_until(lock, time, [this] { return closed_ || readers_ == 0; });
  return !closed_;
}

void WebFeed::forget() {
  std::lock_guard lock(mutex_);
  look_json_.clear();
  events_.clear();
}

void WebFeed::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  news_.notify_all();
  readers_changed_.notify_all();
}

bool WebFeed::join() {
  std::lock_guard lock(mutex_);
  if (closed_ || readers_ == limit_) return false;
  ++readers_;
  readers_changed_.notify_all();
  return true;
}

void WebFeed::leave() {
  std::lock_guard lock(mutex_);
  --readers_;
  readers_changed_.notify_all();
}

std::size_t WebFeed::readers() const {
  std::lock_guard lock(mutex_);
  return readers_;
}

std::optional<std::string> WebFeed::next(Cursor& cursor, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  news_.wait_for(lock, patience, [&] { return closed_ || has_news(cursor); });
  if (closed_) return std::nullopt;
  if (!has_news(cursor)) return std::string(kNothing);
  std::string out;
  if (look_ > cursor.look && !look_json_.empty()) out += message("look", look_json_);
  const auto first = event_ - events_.size() + 1;
  if (cursor.event > 0 && first > cursor.event + 1)
    out += message("missed", std::to_string(first - cursor.event - 1));
  for (std::size_t i = cursor.event >= first ? cursor.event - first + 1 : 0; i < events_.size(); ++i)
    out += message("happened", events_[i]);
  cursor = {look_, event_};
  return out.empty() ? std::string(kNothing) : out;
}

}  // namespace processhub::monitor
