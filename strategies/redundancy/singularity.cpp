#include "strategies/redundancy/singularity.hpp"

#include <string_view>
#include <vector>

namespace processhub {
namespace {

class Singularity final : public Redundancy {
 public:
  std::string_view name() const override { return "singularity"; }
  std::size_t replicas(const HubView&) const override { return 1; }
  Role role_of(NodeId, const ChildKey&, const std::vector<NodeId>&) const override { return Role::active; }
};

}  // namespace

Result<std::unique_ptr<Redundancy>> make_singularity(const StrategyOptions& options) {
  if (auto known = reject_unknown_options(options, {}); !known) return known.error();
  return std::unique_ptr<Redundancy>(std::make_unique<Singularity>());
}

}  // namespace processhub
