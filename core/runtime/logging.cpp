#include "core/runtime/logging.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace processhub::runtime {

namespace {

using protocol::LogLevel;

constexpr std::size_t kMaxWaiting = 10'000;

struct Line {
  std::chrono::system_clock::time_point time{};
  LogLevel level = LogLevel::info;
  std::string text{};
};

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

int lowest_of(std::string_view level) {
  if (level == "trace" || level == "debug") return static_cast<int>(LogLevel::debug);
  if (level == "warn") return static_cast<int>(LogLevel::warn);
  if (level == "error") return static_cast<int>(LogLevel::error);
  if (level == "off") return static_cast<int>(LogLevel::error) + 1;
  return static_cast<int>(LogLevel::info);
}

/// Shared by all hubs of the program; writes in the order in which lines were logged.
class Writer {
 public:
  static Writer& the() {
    static Writer writer;
    return writer;
  }
  Writer()
      : out_("processhub", std::make_shared<spdlog::sinks::stderr_color_sink_mt>()),
        thread_([this] { work(); }) {
    out_.set_level(spdlog::level::trace);
    out_.set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%-5l%$ %v", spdlog::pattern_time_type::utc);
  }
  ~Writer() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    more_.notify_all();
    thread_.join();
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void add(Line line) {
    {
      std::lock_guard lock(mutex_);
      if (lines_.size() >= kMaxWaiting) {
        ++dropped_;
        return;
      }
      lines_.push_back(std::move(line));
      ++added_;
    }
    more_.notify_one();
  }
  void flush() {
    std::unique_lock lock(mutex_);
    const auto upto = added_;
    written_changed_.wait_for(lock, std::chrono::seconds(1), [&] { return written_ >= upto; });
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      more_.wait(lock, [&] { return stopping_ || !lines_.empty(); });
      if (lines_.empty()) return;
      auto lines = std::exchange(lines_, {});
      const auto dropped = std::exchange(dropped_, 0);
      lock.unlock();
      write(lines, dropped);
      lock.lock();
      written_ += lines.size();
      written_changed_.notify_all();
    }
  }
  void write(const std::deque<Line>& lines, std::uint64_t dropped) {
    for (const auto& line : lines)
      out_.log(line.time, spdlog::source_loc{}, spdlog_level(line.level), line.text);
    if (dropped > 0)
      out_.warn(std::to_string(dropped) + " log lines were dropped: standard error is too slow");
    out_.flush();
  }

  spdlog::logger out_;
  std::mutex mutex_{};
  std::condition_variable more_{};
  std::condition_variable written_changed_{};
  std::deque<Line> lines_{};
  std::uint64_t added_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t dropped_ = 0;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace

Logger::Logger(std::string name, std::string_view level) : name_(std::move(name)), lowest_(lowest_of(level)) {
  Writer::the();  // made before, so destroyed after, whatever static object holds this logger
}

void Logger::log(LogLevel level, std::string_view text) const {
  if (!enabled(level)) return;
  Writer::the().add({std::chrono::system_clock::now(), level, "[" + name_ + "] " + std::string(text)});
}

void Logger::flush() { Writer::the().flush(); }

}  // namespace processhub::runtime
