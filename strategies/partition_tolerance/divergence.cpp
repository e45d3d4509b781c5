#include "strategies/partition_tolerance/divergence.hpp"

#include <string_view>

namespace processhub {
namespace {

class Divergence final : public PartitionTolerance {
 public:
  std::string_view name() const override { return "divergence"; }
  QuorumPlan plan() const override {
    QuorumPlan plan;
    plan.lease = Duration(0);
    return plan;
  }
  std::size_t needed(const QuorumView&) const override { return 0; }
};

}  // namespace

Result<std::unique_ptr<PartitionTolerance>> make_divergence(const StrategyOptions& options) {
  if (auto known = reject_unknown_options(options, {}); !known) return known.error();
  return std::unique_ptr<PartitionTolerance>(std::make_unique<Divergence>());
}

}  // namespace processhub
