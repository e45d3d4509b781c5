// Reads the options of a strategy, one line each; what is wrong first, or unknown, is the error.
#pragma once

#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "processhub/result.hpp"
#include "processhub/strategy_catalog.hpp"
#include "processhub/time.hpp"

namespace processhub {

class OptionReader {
 public:
  explicit OptionReader(const StrategyOptions& options) : options_(options) {}

  template <class Number>
  OptionReader& number(const std::string& key, Number least, Number most, Number& out) {
    const auto* text = find(key);
    if (text == nullptr) return *this;
    Number value{};
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    const bool fine = error == std::errc() && end == text->data() + text->size();
    if (fine && value >= least && value <= most) {
      out = value;
      return *this;
    }
    return wrong(key, *text, "a number from " + shown(least) + " to " + shown(most));
  }

  OptionReader& flag(const std::string& key, bool& out) {
    const auto* text = find(key);
    if (text == nullptr) return *this;
    out = *text == "true";
    return out || *text == "false" ? *this : wrong(key, *text, "true or false");
  }

  /// "500ms", "10s", "2m", "1h".
  OptionReader& duration(const std::string& key, Duration least, Duration& out) {
    const auto* text = find(key);
    if (text == nullptr) return *this;
    const auto value = duration_of(*text);
    if (!value || *value < least)
      return wrong(
          key, *text,
          "a duration such as 500ms or 10s, at least " + std::to_string(least.count() / 1000) + "ms");
    out = *value;
    return *this;
  }

  Result<void> done() const {
    if (auto known = reject_unknown_options(options_, known_); !known) return known.error();
    if (error_) return *error_;
    return {};
  }

 private:
  const std::string* find(const std::string& key) {
    known_.push_back(key);
    const auto at = options_.find(key);
    return at == options_.end() ? nullptr : &at->second;
  }

  OptionReader& wrong(const std::string& key, const std::string& text, const std::string& expected) {
    if (!error_) error_ = Error{ErrorCode::invalid, key + " is '" + text + "', expected " + expected};
    return *this;
  }

  template <class Number>
  static std::string shown(Number value) {
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, value).ptr};
  }

  static std::optional<Duration> duration_of(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
    constexpr std::int64_t kMost = 1'000'000'000;  // with any unit far from the end of Duration
    if (error != std::errc() || value < 0 || value > kMost) return {};
    if (unit == "ms") return std::chrono::milliseconds(value);
    if (unit == "s") return std::chrono::seconds(value);
    if (unit == "m") return std::chrono::minutes(value);
    if (unit == "h") return std::chrono::hours(value);
    return {};
  }

  const StrategyOptions& options_;
  std::vector<std::string> known_{};
  std::optional<Error> error_{};
};

}  // namespace processhub
