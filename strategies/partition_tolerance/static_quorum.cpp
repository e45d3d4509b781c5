#include "strategies/partition_tolerance/static_quorum.hpp"

#include <string_view>

#include "strategies/partition_tolerance/quorum_options.hpp"

namespace processhub {
namespace {

class StaticQuorum final : public PartitionTolerance {
 public:
  StaticQuorum(std::size_t size, bool startup_confirm, QuorumPlan plan)
      : size_(size), startup_confirm_(startup_confirm), plan_(plan) {}
  std::string_view name() const override { return "static_quorum"; }
  QuorumPlan plan() const override { return plan_; }
  std::size_t needed(const QuorumView& view) const override {
    return startup_confirm_ || view.formed ? size_ : 0;
  }

 private:
  std::size_t size_;
  bool startup_confirm_;
  QuorumPlan plan_;
};

}  // namespace

Result<std::unique_ptr<PartitionTolerance>> make_static_quorum(const StrategyOptions& options) {
  QuorumOptions read(options, {"quorum_size", "startup_confirm"});
  const auto size = read.number("quorum_size", 0, 10'000);
  const bool confirm = read.flag("startup_confirm", true);
  auto plan = read.plan();
  plan.formed_by = size;
  if (read.mistake() != nullptr) return *read.mistake();
  return std::unique_ptr<PartitionTolerance>(std::make_unique<StaticQuorum>(size, confirm, plan));
}

}  // namespace processhub
