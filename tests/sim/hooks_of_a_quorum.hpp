// What a node's hooks tell when the other one of two is cut off for a while, and one alone is no quorum.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "processhub/strategy_catalog.hpp"
#include "transport/sim/safety_checks.hpp"
#include "transport/sim/sim_cluster.hpp"
#include "transport/sim/sim_describe.hpp"

namespace processhub::sim {

class NeverAlone : public PartitionTolerance {
 public:
  std::string_view name() const override { return "never_alone"; }
  QuorumPlan plan() const override { return {}; }
  std::size_t needed(const QuorumView&) const override { return 2; }
};

struct QuorumHooks : ClusterObserver {
  std::vector<std::string> of_a{};
  void on_effect(const SimNode& node, const protocol::Effect& effect) override {
    const auto* run = std::get_if<protocol::effect::RunHook>(&effect);
    if (run != nullptr && node.name() == "a" && hook_name(run->event).starts_with("quorum_"))
      of_a.push_back(describe(run->event));
  }
};

/// `alone` at first: the other one comes later, before the cut.
inline std::vector<std::string> hooks_of_a_quorum(bool alone) {
  StrategyCatalog strategies;
  strategies.add_partition_tolerance(
      "never_alone", [](const StrategyOptions&) -> Result<std::unique_ptr<PartitionTolerance>> {
        return std::unique_ptr<PartitionTolerance>(std::make_unique<NeverAlone>());
      });
  ClusterOptions options;
  options.config.partition_tolerance.name = "never_alone";
  options.strategies = strategies;
  SimCluster cluster(options);
  SafetyChecks safety(cluster);
  QuorumHooks hooks;
  cluster.observe(hooks);
  cluster.add_node("a", {"b"});
  if (alone) cluster.run_for(std::chrono::seconds(5));
  cluster.add_node("b", {"a"});
  cluster.run_for(std::chrono::seconds(5));
  cluster.split({"a"}, {"b"});
  cluster.run_for(std::chrono::seconds(5));
  cluster.heal_all();
  cluster.run_for(std::chrono::seconds(5));
  for (const auto& broken : cluster.violations()) hooks.of_a.push_back("VIOLATION " + broken.what);
  return hooks.of_a;
}

}  // namespace processhub::sim
