#include "processhub/strategy_catalog.hpp"

#include <doctest/doctest.h>

#include "strategies/builtin.hpp"

namespace catalog_test {

using namespace processhub;

namespace {

StrategyChoice& choice(HubConfig& config, const std::string& kind) {
  if (kind == "distribution") return config.distribution;
  if (kind == "redundancy") return config.redundancy;
  if (kind == "migration") return config.migration;
  if (kind == "synchronization") return config.synchronization;
  REQUIRE(kind == "partition_tolerance");
  return config.partition_tolerance;
}

HubView three_nodes() {
  HubView view;
  for (const char* name : {"a", "b", "c"}) view.members.push_back({NodeId::of(name, 1), 1.0, {}, {}});
  view.self = view.members.front().id;
  view.up_count = 3;
  return view;
}

}  // namespace

TEST_CASE("catalog: the default configuration names strategies that exist, and they know their names") {
  const HubConfig config;
  const auto set = builtin_strategies().build(config);
  REQUIRE_MESSAGE(set.ok(), set.error().message);
  CHECK(set->distribution->name() == config.distribution.name);
  CHECK(set->redundancy->name() == config.redundancy.name);
  CHECK(set->migration->name() == config.migration.name);
  CHECK(set->synchronization->name() == config.synchronization.name);
  CHECK(set->partition_tolerance->name() == config.partition_tolerance.name);
}

TEST_CASE("catalog: every entry builds, owns children and refuses an option it does not know") {
  const auto catalog = builtin_strategies();
  REQUIRE(catalog.names().size() >= 5);
  for (const auto& row : catalog.names()) {
    CAPTURE(row);
    const auto kind = row.substr(0, row.find('/'));
    HubConfig config;
    choice(config, kind).name = row.substr(row.find('/') + 1);
    if (choice(config, kind).name == "static_quorum") choice(config, kind).options["quorum_size"] = "2";
    const auto set = catalog.build(config);
    REQUIRE_MESSAGE(set.ok(), set.error().message);

    const auto view = three_nodes();
    set->distribution->prepare(view);
    std::vector<NodeId> owners;
    std::vector<std::string> names;
    for (const auto& member : view.members) names.emplace_back(member.id.name());
    const ChildKey key{"x", 12345, {}, names};
    set->distribution->owners(key, set->redundancy->replicas(view), owners);
    CHECK(owners.size() == set->redundancy->replicas(view));
    CHECK(set->redundancy->role_of(owners.at(0), key, owners) == Role::active);
    const QuorumView three{view.self, 3, true, 3, 3};
    CHECK(set->partition_tolerance->needed(three) <= 3);

    choice(config, kind).options["no_such_option"] = "1";
    const auto refused = catalog.build(config);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::invalid);
    CHECK(refused.error().message.find("no_such_option") != std::string::npos);
    CHECK(refused.error().message.find(kind) != std::string::npos);
  }
}

TEST_CASE("catalog: an unknown name fails with its kind and says what exists") {
  HubConfig config;
  config.distribution.name = "round_robin";
  const auto set = builtin_strategies().build(config);
  REQUIRE_FALSE(set.ok());
  CHECK(set.error().message ==
        "distribution: there is no strategy 'round_robin'; there are: guided, load_balancer, rendezvous");
}

TEST_CASE("catalog: a row of the user's own stands beside the built-in ones, a repeated name replaces") {
  class Everywhere final : public PartitionTolerance {
   public:
    std::string_view name() const override { return "never"; }
    QuorumPlan plan() const override { return {}; }
    std::size_t needed(const QuorumView&) const override { return 100; }
  };
  auto make = [](const StrategyOptions&) -> Result<std::unique_ptr<PartitionTolerance>> {
    return std::unique_ptr<PartitionTolerance>(std::make_unique<Everywhere>());
  };
  auto catalog = builtin_strategies();
  const auto rows = catalog.names().size();
  catalog.add_partition_tolerance("never", make).add_partition_tolerance("divergence", make);
  CHECK(catalog.names().size() == rows + 1);
  HubConfig config;
  CHECK(catalog.build(config)->partition_tolerance->name() == "never");
}

TEST_CASE("catalog: a factory that makes nothing is an error and no crash") {
  auto catalog = builtin_strategies();
  catalog.add_migration("empty", [](const StrategyOptions&) -> Result<std::unique_ptr<Migration>> {
    return std::unique_ptr<Migration>();
  });
  HubConfig config;
  config.migration.name = "empty";
  CHECK(catalog.build(config).error().message == "migration 'empty': its factory made nothing");
}

}  // namespace catalog_test
