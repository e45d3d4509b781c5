#include <algorithm>
#include <stdexcept>

#include "core/protocol/parts.hpp"
#include "strategies/builtin.hpp"
#include "transport/sim/core_port.hpp"

namespace processhub::sim {
namespace {

class HubCorePort : public CorePort {
 public:
  HubCorePort(const protocol::Identity& identity, const HubConfig& config, StrategySet strategies)
      : core_(identity, config, std::move(strategies)) {}

  void start(Time now, protocol::Effects& fx) override { core_.start(now, fx); }
  void step(Time now, protocol::Event event, protocol::Effects& fx) override {
    core_.step(now, std::move(event), fx);
  }
  bool run(Time now, protocol::Effects& fx) override { return core_.run(now, fx); }
  void flush(Time now, protocol::Effects& fx) override { core_.flush(now, fx); }
  Time next_deadline() const override { return core_.next_deadline(); }
  Time turns_until() const override { return core_.turns_until(); }
  std::vector<protocol::RegistryChange> take_registry_changes() override {
    return core_.take_registry_changes();
  }
  std::optional<protocol::ClusterSnapshot> take_cluster_change() override {
    return core_.take_cluster_change();
  }
  HubStats stats() const override { return core_.stats(); }
  CoreView view() const override {
    const auto& membership = core_.parts().membership;
    CoreView view{membership.up_peers(), membership.agreed(), core_.parts().quorum.counted()};
    view.members.insert(std::lower_bound(view.members.begin(), view.members.end(), core_.self()),
                        core_.self());
    return view;
  }

 private:
  protocol::HubCore core_;
};

}  // namespace

CoreFactory hub_core_factory(const StrategyCatalog& strategies, protocol::OfferedTypes types) {
  auto catalog = builtin_strategies();
  catalog.add(strategies);
  return [catalog = std::move(catalog), types = std::move(types)](
             protocol::Identity identity, const HubConfig& config) -> std::unique_ptr<CorePort> {
    auto built = catalog.build(config);
    if (!built) throw std::invalid_argument(built.error().message);
    if (types) identity.types = types;
    return std::make_unique<HubCorePort>(identity, config, std::move(*built));
  };
}

}  // namespace processhub::sim
