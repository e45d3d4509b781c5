#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "core/hash.hpp"
#include "strategies/builtin.hpp"

namespace replication_test {

using namespace processhub;

namespace {

StrategySet built(const StrategyOptions& options) {
  HubConfig config;
  config.redundancy = {"replication", options};
  auto set = builtin_strategies().build(config);
  REQUIRE(set);
  return std::move(*set);
}

std::string mistake(const StrategyOptions& options) {
  HubConfig config;
  config.redundancy = {"replication", options};
  const auto set = builtin_strategies().build(config);
  REQUIRE_FALSE(set);
  return set.error().message;
}

HubView view_of(int nodes) {
  HubView view;
  for (int i = 0; i < nodes; ++i)
    view.members.push_back({NodeId::of("n" + std::to_string(i), 1), 1.0, {}, {}});
  view.up_count = view.members.size();
  return view;
}

}  // namespace

TEST_CASE("replication: factor is a number or the size of the cluster") {
  CHECK(built({}).redundancy->replicas(view_of(5)) == 2);
  CHECK(built({{"factor", "4"}}).redundancy->replicas(view_of(5)) == 4);
  CHECK(built({{"factor", "cluster_size"}}).redundancy->replicas(view_of(5)) == 5);
  CHECK(built({{"factor", "cluster_size"}}).redundancy->replicas(view_of(0)) == 1);
}

TEST_CASE("replication: what is wrong is named, with what was expected") {
  for (const auto* wrong : {"0", "-1", "1001", "2x", "", "all", "2.5"}) {
    CHECK(mistake({{"factor", wrong}}) == "redundancy 'replication': factor is '" + std::string(wrong) +
                                              "', expected a number from 1 to 1000 or cluster_size");
  }
  CHECK(mistake({{"model", "both"}}) ==
        "redundancy 'replication': model is 'both', expected active_active or active_passive");
  CHECK(mistake({{"signal", "loud"}}) ==
        "redundancy 'replication': signal is 'loud', expected none, active, passive or all");
  CHECK(mistake({{"replicas", "2"}}) ==
        "redundancy 'replication': unknown option 'replicas'; known: factor, model, signal");
}

TEST_CASE("replication: every owner is active, or the best one is, and who owns nothing has no role") {
  const std::vector<NodeId> owners{NodeId::of("b", 1), NodeId::of("a", 1), NodeId::of("c", 1)};
  const ChildKey child{"x", hash64("x"), {}};
  const auto all = built({{"factor", "3"}, {"model", "active_active"}});
  const auto one = built({{"factor", "3"}, {"model", "active_passive"}});
  for (const auto owner : owners) CHECK(all.redundancy->role_of(owner, child, owners) == Role::active);
  CHECK(one.redundancy->role_of(owners[0], child, owners) == Role::active);
  CHECK(one.redundancy->role_of(owners[1], child, owners) == Role::passive);
  CHECK(one.redundancy->role_of(owners[2], child, owners) == Role::passive);
  CHECK(one.redundancy->role_of(NodeId::of("d", 1), child, owners) == Role::none);
  CHECK(all.redundancy->role_of(NodeId::of("d", 1), child, owners) == Role::none);
}

TEST_CASE("replication: what it promises of the number of instances and of active ones") {
  CHECK(built({{"factor", "1"}}).redundancy->singleton());
  CHECK(built({{"factor", "1"}}).redundancy->one_active());
  CHECK_FALSE(built({{"factor", "2"}}).redundancy->singleton());
  CHECK_FALSE(built({{"factor", "2"}}).redundancy->one_active());
  CHECK(built({{"model", "active_passive"}}).redundancy->one_active());
  CHECK(built({}).redundancy->signals() == RoleSignal::all);
  CHECK(built({{"signal", "none"}}).redundancy->signals() == RoleSignal::none);
  CHECK(built({{"signal", "active"}}).redundancy->signals() == RoleSignal::active);
  CHECK(built({{"signal", "passive"}}).redundancy->signals() == RoleSignal::passive);
}

TEST_CASE("replication: the active ones are spread evenly, and the next owner is active when one dies") {
  auto set = built({{"factor", "3"}, {"model", "active_passive"}});
  const auto whole = view_of(6);
  auto without = whole;
  without.members.erase(without.members.begin() + 2);
  const auto dead = whole.members[2].id;
  std::map<NodeId, int> active;
  int promoted = 0;
  for (int i = 0; i < 6000; ++i) {
    const auto id = "child-" + std::to_string(i);
    const ChildKey child{id, hash64(id), {}};
    std::vector<NodeId> before;
    std::vector<NodeId> after;
    set.distribution->prepare(whole);
    set.distribution->owners(child, 3, before);
    set.distribution->prepare(without);
    set.distribution->owners(child, 3, after);
    ++active[before.front()];
    // Whoever was passive is promoted; nobody else changes its role.
    const auto next = before.front() == dead ? before[1] : before.front();
    CHECK(after.front() == next);
    promoted += before.front() == dead ? 1 : 0;
  }
  CHECK(active.size() == 6);
  for (const auto& [node, count] : active) {
    CHECK(count > 850);
    CHECK(count < 1150);
  }
  CHECK(promoted == active[dead]);
}

}  // namespace replication_test
