#include "core/runtime/logging.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

namespace processhub::runtime {

namespace {

constexpr std::size_t kMaxWaiting = 10'000;

constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %^%-5l%$ %v";
constexpr const char* kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})";

struct Line {
  std::chrono::system_clock::time_point time{};
  LogPart part = LogPart::hub;
  LogLevel level = LogLevel::info;
  std::string hub{};
  std::string node{};
  std::string text{};
  std::vector<std::string> ids{};
};

std::string text_of(const Line& line) {
  std::string out = "[" + line.hub + (line.node.empty() ? "" : "@" + line.node) + "] ";
  return out.append(to_string(line.part)) + ": " + line.text;
}

/// The object's fields behind its time.
std::string fields_of(const Line& line) {
  using Json = nlohmann::ordered_json;
  Json out{{"level", std::string(to_string(line.level))}, {"hub", line.hub}};
  if (!line.node.empty()) out["node"] = line.node;
  out["part"] = std::string(to_string(line.part));
  out["text"] = line.text;
  if (!line.ids.empty()) out["children"] = line.ids;
  auto text = out.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.substr(1, text.size() - 2);
}

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
    out_.set_pattern(kTextPattern, spdlog::pattern_time_type::utc);
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
        ++all_dropped_;
        return;
      }
      lines_.push_back(std::move(line));
      ++added_;
    }
    more_.notify_one();
  }
  void write_json() { json_wanted_.store(true); }
  std::uint64_t dropped() const {
    std::lock_guard lock(mutex_);
    return all_dropped_;
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
    if (json_wanted_.load() && !std::exchange(json_, true))
      out_.set_pattern(kJsonPattern, spdlog::pattern_time_type::utc);
    for (const auto& line : lines) write(line);
    if (dropped > 0) {
      write({std::chrono::system_clock::now(),
             LogPart::hub,
             LogLevel::warn,
             "log",
             {},
             std::to_string(dropped) + " log lines were dropped: standard error is too slow",
             {}});
    }
    out_.flush();
  }
  void write(const Line& line) {
    out_.log(line.time, spdlog::source_loc{}, spdlog_level(line.level),
             json_ ? fields_of(line) : text_of(line));
  }

  spdlog::logger out_;
  mutable std::mutex mutex_{};
  std::condition_variable more_{};
  std::condition_variable written_changed_{};
  std::deque<Line> lines_{};
  std::uint64_t added_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t dropped_ = 0;  // since the last write
  std::uint64_t all_dropped_ = 0;
  std::atomic<bool> json_wanted_{false};
  bool json_ = false;  // the writing thread's
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace

Logger::Logger(std::string hub, std::string node, std::string_view levels)
    : hub_(std::move(hub)), node_(std::move(node)), journal_(std::make_shared<Journal>()) {
  Writer::the();  // made before, so destroyed after, whatever static object holds this logger
  auto parsed = LogLevels::parse(levels);
  levels_ = parsed ? *parsed : *LogLevels::parse("info");
  if (!parsed) warn(LogPart::hub, "log_level: " + parsed.error().message);
}

void Logger::log(LogPart part, LogLevel level, std::string_view text, std::vector<std::string> ids) const {
  const bool shown = enabled(part, level);
  if (!shown && level < LogLevel::info) return;
  const auto now = std::chrono::system_clock::now();
  if (level >= LogLevel::info) {
    const auto time = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
    journal_->add({0, time.count(), part, level, std::string(text), ids});
  }
  if (!shown) return;
  Writer::the().add({now, part, level, hub_, node_, std::string(text), std::move(ids)});
}

void Logger::write_json() { Writer::the().write_json(); }

std::uint64_t Logger::dropped() { return Writer::the().dropped(); }

void Logger::flush() { Writer::the().flush(); }

}  // namespace processhub::runtime
