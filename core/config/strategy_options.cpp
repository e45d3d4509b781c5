// What a strategy's section says, for the strategy's factory.
#include <chrono>
#include <string>

#include "core/config/values.hpp"
#include "processhub/strategy_catalog.hpp"

namespace processhub {

namespace {
template <class T, class Parse>
Result<void> read_with(const StrategyOptions& options, const std::string& key, T& out, Parse parse) {
  const auto given = options.find(key);
  if (given == options.end()) return {};
  auto value = parse(given->second);
  if (!value) return {ErrorCode::invalid, key + ": " + value.error().message};
  out = *value;
  return {};
}
}  // namespace

Result<void> read_option(const StrategyOptions& options, const std::string& key,
                         std::chrono::milliseconds& out) {
  return read_with(options, key, out, config::parse_duration);
}

Result<void> read_option(const StrategyOptions& options, const std::string& key, bool& out) {
  return read_with(options, key, out, config::parse_flag);
}

}  // namespace processhub
