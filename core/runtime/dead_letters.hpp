// Messages that no worker will get, told to hooks and to the log: each while there are few, and samples of a
// flood with their number, so that whoever looks on is not flooded too. Not thread-safe; the owner locks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "processhub/hooks.hpp"
#include "processhub/time.hpp"

namespace processhub::runtime {

class DeadLetters {
 public:
  static constexpr std::uint32_t kHooksPerSecond = 100;
  DeadLetters();

  /// What a hook is to be told now, if anything; `count` includes those that were not told before.
  std::optional<hook::DeadLetter> note(Time now, std::string_view id, std::string_view message,
                                       std::string_view why);
  /// The last one that was not told, once its second is over.
  std::optional<hook::DeadLetter> due(Time now);
  /// A line for the log, at most one a second.
  std::optional<std::string> line(Time now);

 private:
  Time second_{-1'000'000};  ///< since when `told_` counts
  std::uint32_t told_ = 0;
  hook::DeadLetter untold_{};  ///< the last of them; `count`: all
  Time logged_{-1'000'000};
  hook::DeadLetter unlogged_{};
};

}  // namespace processhub::runtime
