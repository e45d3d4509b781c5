// The one logging header: what stands behind it (spdlog) is known to logging.cpp alone. One line an event, to
// standard error, with times in UTC, from a thread of their own, so that a full pipe never holds up the loop;
// if they cannot keep up, lines are dropped and counted.
//
//   2026-01-31T12:00:00.123Z info  [orders@a] membership: node b/1769860800000000 is up
//   {"time":"2026-01-31T12:00:00.123Z","level":"info","hub":"orders","node":"a","part":"membership","text":...}
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/log_levels.hpp"
#include "core/runtime/journal.hpp"
#include "processhub/export.hpp"

namespace processhub::runtime {

/// The voice of one hub on one node. Any thread; never blocks.
class PROCESSHUB_API Logger {
 public:
  /// `levels`: HubConfig::log_level; what is wrong with it is logged from info on. A program that is no hub
  /// has no `node`.
  Logger(std::string hub, std::string node, std::string_view levels);

  bool enabled(LogPart part, LogLevel level) const { return levels_.enabled(part, level); }
  /// `ids`: of the children that the text tells of.
  void log(LogPart part, LogLevel level, std::string_view text, std::vector<std::string> ids = {}) const;
  void debug(LogPart part, std::string_view text) const { log(part, LogLevel::debug, text); }
  void info(LogPart part, std::string_view text) const { log(part, LogLevel::info, text); }
  void warn(LogPart part, std::string_view text) const { log(part, LogLevel::warn, text); }
  void error(LogPart part, std::string_view text) const { log(part, LogLevel::error, text); }

  /// What was logged from info on, whatever the levels are.
  const Journal& journal() const { return *journal_; }

  /// From now on a line is a JSON object; for the whole program.
  static void write_json();
  /// Lines that standard error was too slow for, of the whole program.
  static std::uint64_t dropped();
  /// Waits until everything logged so far is written, at most a second: before a program ends in a hurry.
  static void flush();

 private:
  std::string hub_;
  std::string node_;
  LogLevels levels_;
  std::shared_ptr<Journal> journal_;
};

}  // namespace processhub::runtime
