#include "strategies/migration/cold_swap.hpp"

#include <string_view>

namespace processhub {
namespace {

class ColdSwap final : public Migration {
 public:
  std::string_view name() const override { return "cold_swap"; }
  MovePlan plan() const override { return {}; }
};

}  // namespace

Result<std::unique_ptr<Migration>> make_cold_swap(const StrategyOptions& options) {
  if (auto known = reject_unknown_options(options, {}); !known) return known.error();
  return std::unique_ptr<Migration>(std::make_unique<ColdSwap>());
}

}  // namespace processhub
