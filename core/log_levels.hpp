// Which lines are logged: a level for everything, and others for single components: "info,links=debug".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "processhub/result.hpp"

namespace processhub {

enum class LogLevel : std::uint8_t { debug, info, warn, error };

/// What a line is about.
enum class LogPart : std::uint8_t {
  hub,         ///< start and end, what concerns the node as a whole
  membership,  ///< who is up, down, refused
  links,       ///< frames that make no sense, handshakes
  moves,       ///< children that move or are taken over
  children,    ///< starts, crashes, restarts
  quorum,
  queue,    ///< the event queue and its lock
  hooks,    ///< every hook that fires (debug), and slow ones
  workers,  ///< stuck and slow handlers
  clients,  ///< who asks what (debug)
};
inline constexpr std::size_t kLogParts = 10;

std::string_view to_string(LogPart part);
std::string_view to_string(LogLevel level);

class LogLevels {
 public:
  bool enabled(LogPart part, LogLevel level) const {
    return static_cast<std::uint8_t>(level) >= lowest_[static_cast<std::size_t>(part)];
  }
  /// LEVEL, or LEVEL,PART=LEVEL,... Error: what was expected.
  static Result<LogLevels> parse(std::string_view text);

 private:
  std::array<std::uint8_t, kLogParts> lowest_{};
};

}  // namespace processhub
