#include "strategies/migration/hot_swap.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace processhub {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongest = std::chrono::hours(1);

class HotSwap final : public Migration {
 public:
  explicit HotSwap(MovePlan plan) : plan_(plan) {}
  std::string_view name() const override { return "hot_swap"; }
  MovePlan plan() const override { return plan_; }

 private:
  MovePlan plan_;
};

Result<void> read_time(const StrategyOptions& options, const std::string& key, milliseconds least,
                       Duration& out) {
  auto value = std::chrono::duration_cast<milliseconds>(out);
  if (auto read = read_option(options, key, value); !read) return read;
  if (value < least || value > kLongest)
    return {ErrorCode::invalid, key + " is " + std::to_string(value.count()) + " ms, expected " +
                                    std::to_string(least.count()) + " ms to an hour"};
  out = value;
  return {};
}

/// `none`, or a time.
Result<void> read_retention(const StrategyOptions& options, Duration& out) {
  const auto given = options.find("retention");
  if (given != options.end() && given->second == "none") return {};
  return read_time(options, "retention", milliseconds(0), out);
}

Result<void> read_fallback(const StrategyOptions& options, bool& cold) {
  const auto given = options.find("fallback");
  if (given == options.end()) return {};
  cold = given->second == "cold";
  if (cold || given->second == "stay") return {};
  return {ErrorCode::invalid, "fallback is '" + given->second + "', expected stay or cold"};
}

}  // namespace

Result<std::unique_ptr<Migration>> make_hot_swap(const StrategyOptions& options) {
  MovePlan plan;
  plan.hot = true;
  plan.data_wait = std::chrono::seconds(3);
  plan.timeout = std::chrono::seconds(10);
  for (const auto& read :
       {reject_unknown_options(options, {"handover", "retention", "confirm_handover", "handover_data_wait",
                                         "child_migration_timeout", "fallback"}),
        read_option(options, "handover", plan.hand_over_state), read_retention(options, plan.retention),
        read_option(options, "confirm_handover", plan.confirm), read_fallback(options, plan.cold_if_refused),
        read_time(options, "handover_data_wait", milliseconds(10), plan.data_wait),
        read_time(options, "child_migration_timeout", milliseconds(100), plan.timeout)}) {
    if (!read) return read.error();
  }
  return std::unique_ptr<Migration>(std::make_unique<HotSwap>(plan));
}

}  // namespace processhub
