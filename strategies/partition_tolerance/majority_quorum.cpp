#include "strategies/partition_tolerance/majority_quorum.hpp"

#include <algorithm>
#include <string_view>

#include "strategies/partition_tolerance/quorum_options.hpp"

namespace processhub {
namespace {

class MajorityQuorum final : public PartitionTolerance {
 public:
  explicit MajorityQuorum(QuorumPlan plan) : plan_(plan) {}
  std::string_view name() const override { return "majority_quorum"; }
  QuorumPlan plan() const override { return plan_; }
  std::size_t needed(const QuorumView& view) const override {
    return view.formed ? view.seats / 2 + 1 : plan_.formed_by;
  }

 private:
  QuorumPlan plan_;
};

}  // namespace

Result<std::unique_ptr<PartitionTolerance>> make_majority_quorum(const StrategyOptions& options) {
  QuorumOptions read(options, {"initial_cluster_size", "track_max_size"});
  const auto size = read.number("initial_cluster_size", 1, 10'000);
  const bool grows = read.flag("track_max_size", true);
  auto plan = read.plan();
  plan.count_seats = true;
  plan.by_vote = true;
  plan.formed_by = size;
  plan.admits = grows;
  if (read.mistake() != nullptr) return *read.mistake();
  return std::unique_ptr<PartitionTolerance>(std::make_unique<MajorityQuorum>(plan));
}

}  // namespace processhub
