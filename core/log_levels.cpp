#include "core/log_levels.hpp"

#include <algorithm>

namespace processhub {

namespace {

constexpr std::array<std::string_view, kLogParts> kParts = {
    "hub", "membership", "links", "moves", "children", "quorum", "queue", "hooks", "workers", "clients"};
constexpr std::array<std::string_view, 6> kLevels = {"trace", "debug", "info", "warn", "error", "off"};

template <class Names>
std::string listed(const Names& names) {
  std::string out;
  for (const auto name : names) out += (out.empty() ? "" : " ") + std::string(name);
  return out;
}

Error expected(const std::string& what, std::string_view text) {
  return {ErrorCode::invalid, "expected " + what + ", not '" + std::string(text) + "'"};
}

/// The lowest level that is logged; there is nothing below debug.
Result<std::uint8_t> lowest_of(std::string_view word) {
  const auto at = std::find(kLevels.begin(), kLevels.end(), word);
  if (at == kLevels.end()) return expected("one of " + listed(kLevels), word);
  return static_cast<std::uint8_t>(std::max<std::ptrdiff_t>(0, at - kLevels.begin() - 1));
}

}  // namespace

std::string_view to_string(LogPart part) { return kParts[static_cast<std::size_t>(part)]; }

std::string_view to_string(LogLevel level) { return kLevels[static_cast<std::size_t>(level) + 1]; }

Result<LogLevels> LogLevels::parse(std::string_view text) {
  LogLevels out;
  const auto general = text.substr(0, text.find(','));
  const auto level = lowest_of(general);
  if (!level) return level.error();
  out.lowest_.fill(*level);
  text.remove_prefix(std::min(text.size(), general.size()));
  while (!text.empty()) {
    text.remove_prefix(1);
    const auto one = text.substr(0, text.find(','));
    const auto equals = one.find('=');
    const auto part = std::find(kParts.begin(), kParts.end(), one.substr(0, equals));
    if (equals == std::string_view::npos || part == kParts.end())
      return expected("PART=LEVEL behind the level, PART one of " + listed(kParts), one);
    const auto own = lowest_of(one.substr(equals + 1));
    if (!own) return own.error();
    out.lowest_[static_cast<std::size_t>(part - kParts.begin())] = *own;
    text.remove_prefix(one.size());
  }
  return out;
}

}  // namespace processhub
