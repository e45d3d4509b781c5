#include "core/config/values.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace processhub::config {
namespace {

constexpr int kMaxJsonDepth = 64;

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Scale {
  std::string_view unit;
  std::uint64_t factor;
};
// Smallest first: formatting takes the last one that divides.
constexpr std::array<Scale, 4> kDurations{{{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}}};
constexpr std::array<Scale, 4> kSizes{
    {{"", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}}};

template <std::size_t N>
std::optional<std::uint64_t> scaled(std::string_view text, const std::array<Scale, N>& scales) {
  const auto split = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = whole_number<std::uint64_t>(text.substr(0, split));
  const auto scale = std::find_if(scales.begin(), scales.end(),
                                  [&](const Scale& s) { return s.unit == text.substr(split); });
  constexpr std::uint64_t kMost = INT64_MAX;
  if (!number || scale == scales.end() || *number > kMost / scale->factor) return std::nullopt;
  return *number * scale->factor;
}

template <std::size_t N>
std::string in_scale(std::uint64_t value, const std::array<Scale, N>& scales) {
  const Scale* best = scales.data();
  for (const auto& s : scales) {
    if (value != 0 && value % s.factor == 0) best = &s;
  }
  return std::to_string(value / best->factor) + std::string(best->unit);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replace, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

Error expected(std::string_view what, std::string_view text) {
  return {ErrorCode::invalid, "expected " + std::string(what) + ", not '" + std::string(text) + "'"};
}

Result<milliseconds> parse_duration(std::string_view text) {
  constexpr std::string_view kExample = "a duration such as 250ms, 2s or 1m";
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) {
    return {ErrorCode::invalid, "expected " + std::string(kExample) + ", not '" + std::string(text) +
                                    "': the unit (ms, s, m or h) is missing"};
  }
  const auto value = scaled(text, kDurations);
  if (!value) return expected(kExample, text);
  return milliseconds(static_cast<std::int64_t>(*value));
}

std::string format_duration(milliseconds value) {
  if (value.count() < 0) return std::to_string(value.count()) + "ms";
  return in_scale(static_cast<std::uint64_t>(value.count()), kDurations);
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto value = scaled(text, kSizes);
  if (!value) return expected("a size in bytes such as 65536, 64KiB or 1MiB", text);
  return *value;
}

std::string format_size(std::uint64_t bytes) { return in_scale(bytes, kSizes); }

Result<std::uint64_t> parse_count(std::string_view text, std::uint64_t max) {
  const auto value = whole_number<std::uint64_t>(text);
  if (!value || *value > max) return expected("a whole number from 0 to " + std::to_string(max), text);
  return *value;
}

Result<double> parse_real(std::string_view text) {
  const auto value = whole_number<double>(text);
  if (!value || !std::isfinite(*value)) return expected("a number such as 1 or 0.5", text);
  return *value;
}

std::string format_real(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} ? std::string(text.data(), end) : std::to_string(value);
}

Result<bool> parse_flag(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return expected("true or false", text);
}

Result<std::string> parse_json_to_msgpack(std::string_view text) {
  using nlohmann::json;
  bool too_deep = false;
  // Parsing keeps its own stack, but everything after it recurses: depth is cut off here.
  const auto limit_depth = [&](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > kMaxJsonDepth;
    return !too_deep;
  };
  try {
    const json value = json::parse(text, limit_depth);
    if (too_deep) return {ErrorCode::invalid, "expected JSON of at most 64 levels"};
    const auto bytes = json::to_msgpack(value);
    return std::string(bytes.begin(), bytes.end());
  } catch (const json::parse_error& e) {
    return {ErrorCode::invalid,
            "expected JSON; what is written breaks off or goes wrong at byte " + std::to_string(e.byte)};
  } catch (const json::exception& e) {
    return {ErrorCode::invalid, std::string("expected JSON: ") + e.what()};
  }
}

std::string msgpack_to_json(std::string_view bytes) {
  using nlohmann::json;
  if (bytes.empty()) return {};
  return json::from_msgpack(bytes).dump(-1, ' ', false, json::error_handler_t::replace);
}

bool Endpoint::is_wildcard() const { return host == "*" || host == "0.0.0.0" || host == "[::]"; }

bool Endpoint::is_loopback() const {
  if (host == "localhost" || host == "lo" || host == "[::1]") return true;
  in_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  constexpr std::string_view kScheme = "tcp://";
  constexpr std::string_view kWhat = "an address such as tcp://127.0.0.1:7001";
  if (text.substr(0, kScheme.size()) != kScheme) return expected(kWhat, text);
  const std::string_view rest = text.substr(kScheme.size());
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return expected(kWhat, text);
  const std::string_view host = rest.substr(0, colon);
  const auto port = whole_number<std::uint16_t>(rest.substr(colon + 1));
  const bool bracketed = host.front() == '[' && host.back() == ']';
  const auto bad = [&](char c) { return c <= ' ' || c == '/' || c == ';' || (c == ':' && !bracketed); };
  if (!port || std::any_of(host.begin(), host.end(), bad)) return expected(kWhat, text);
  return Endpoint{std::string(host), *port};
}

std::string nearest(std::string_view name, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = std::min<std::size_t>(3, name.size() / 3 + 1) + 1;
  for (const auto& candidate : known) {
    const auto distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
  const auto near = nearest(name, known);
  return near.empty() ? "" : "; did you mean '" + near + "'?";
}

}  // namespace processhub::config
