#include "strategies/partition_tolerance/dynamic_quorum.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "strategies/partition_tolerance/quorum_options.hpp"

namespace processhub {
namespace {

constexpr std::size_t kDefaultPercent = 51;
constexpr Duration kDefaultThreshold = std::chrono::seconds(30);

class DynamicQuorum final : public PartitionTolerance {
 public:
  DynamicQuorum(std::size_t percent, QuorumPlan plan) : percent_(percent), plan_(plan) {}
  std::string_view name() const override { return "dynamic_quorum"; }
  QuorumPlan plan() const override { return plan_; }
  std::size_t needed(const QuorumView& view) const override {
    return std::max<std::size_t>(1, (view.seats * percent_ + 99) / 100);
  }

 private:
  std::size_t percent_;
  QuorumPlan plan_;
};

}  // namespace

Result<std::unique_ptr<PartitionTolerance>> make_dynamic_quorum(const StrategyOptions& options) {
  QuorumOptions read(options, {"quorum_size", "threshold_time"});
  const auto percent = read.number("quorum_size", kDefaultPercent, 100);
  auto plan = read.plan();
  plan.count_seats = true;
  plan.forget_after = read.duration("threshold_time", kDefaultThreshold, std::chrono::milliseconds(100));
  if (read.mistake() != nullptr) return *read.mistake();
  return std::unique_ptr<PartitionTolerance>(std::make_unique<DynamicQuorum>(percent, plan));
}

}  // namespace processhub
