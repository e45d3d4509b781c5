#include "strategies/synchronization/pubsub.hpp"

#include <string_view>

namespace processhub {
namespace {

class PubSub final : public Synchronization {
 public:
  std::string_view name() const override { return "pubsub"; }
  SyncPlan plan() const override { return {}; }
};

}  // namespace

Result<std::unique_ptr<Synchronization>> make_pubsub(const StrategyOptions& options) {
  if (auto known = reject_unknown_options(options, {}); !known) return known.error();
  return std::unique_ptr<Synchronization>(std::make_unique<PubSub>());
}

}  // namespace processhub
