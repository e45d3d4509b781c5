// The one logging header: what stands behind it (spdlog) is known to logging.cpp alone. Lines go to standard
// error, with times in UTC, from a thread of their own, so that a full pipe never holds up the loop; if they
// cannot keep up, lines are dropped and counted.
#pragma once

#include <string>
#include <string_view>

#include "core/protocol/effect.hpp"
#include "processhub/export.hpp"

namespace processhub::runtime {

/// The voice of one hub: its name stands before every line. Any thread; never blocks.
class PROCESSHUB_API Logger {
 public:
  /// `level`: trace | debug | info | warn | error | off (HubConfig::log_level).
  Logger(std::string name, std::string_view level);

  bool enabled(protocol::LogLevel level) const { return static_cast<int>(level) >= lowest_; }
  void log(protocol::LogLevel level, std::string_view text) const;
  void debug(std::string_view text) const { log(protocol::LogLevel::debug, text); }
  void info(std::string_view text) const { log(protocol::LogLevel::info, text); }
  void warn(std::string_view text) const { log(protocol::LogLevel::warn, text); }
  void error(std::string_view text) const { log(protocol::LogLevel::error, text); }

  /// Waits until everything logged so far is written, at most a second: before a program ends in a hurry.
  static void flush();

 private:
  std::string name_;
  int lowest_;
};

}  // namespace processhub::runtime
