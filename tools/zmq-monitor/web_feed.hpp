// WebFeed: what all open pages are told, as server-sent events. One writer; every stream reads at its own
// pace: of looks it gets the newest, of events the kept ones, and how many it missed. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace processhub::monitor {

class WebFeed {
 public:
  static constexpr std::size_t kKept = 400;  ///< events

  explicit WebFeed(std::size_t streams) : limit_(streams) {}

  // -- the writer
  void publish_look(std::string json);
  void publish_events(std::vector<std::string> json);
  /// Until somebody reads; false at the end.
  bool wait_for_reader();
  /// Until then, or until nobody reads any more; false at the end.
  bool wait_until(std::chrono::steady_clock::time_point time);
  /// What was published is old: who comes next does not get it.
  void forget();
  /// All streams end.
  void close();

  // -- a stream
  struct Cursor {
    std::uint64_t look = 0;
    std::uint64_t event = 0;
  };
  /// False: there are as many streams as may be.
  bool join();
  void leave();
  std::size_t readers() const;
  /// The next thing to send; a comment if nothing came in time, nothing at the end.
  std::optional<std::string> next(Cursor& cursor, std::chrono::milliseconds patience);

 private:
  bool has_news(const Cursor& cursor) const { return look_ > cursor.look || event_ > cursor.event; }

  const std::size_t limit_;
  mutable std::mutex mutex_{};
  std::condition_variable news_{};
  std::condition_variable readers_changed_{};
  std::size_t readers_ = 0;
  bool closed_ = false;
  std::uint64_t look_ = 0;  // the number of the newest
  std::string look_json_{};
  std::uint64_t event_ = 0;  // the number of the newest
  std::deque<std::string> events_{};
};

}  // namespace processhub::monitor
