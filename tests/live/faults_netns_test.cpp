// Nodes with a network namespace each, between which packets vanish: connections hang half open, and new ones
// are never answered. Skipped, with the reason, where the machine does not allow namespaces.
#include <doctest/doctest.h>

#include "tests/live/support/fault_checks.hpp"
#include "tests/live/support/net_lab.hpp"

namespace faults_netns_test {

using live::eventually;
using live::Json;
using live::Names;
using live::NetLab;

namespace {

constexpr std::size_t kChildren = 30;
const Names kThree = {"a", "b", "c"};

/// False, and said, if this machine cannot do it.
bool possible(const NetLab& lab) {
  if (!lab.why_not().empty()) MESSAGE("skipped: ", lab.why_not());
  return lab.why_not().empty();
}

void fill(live::ProcessCluster& cluster) {
  cluster.start(kThree);
  live::start_counters(cluster, "a", "x", kChildren);
  live::require_quiet(cluster, kChildren);
}

}  // namespace

TEST_CASE("netns: a laboratory leaves nothing behind") {
  const auto before = NetLab::existing();
  {
    NetLab lab(kThree);
    if (!possible(lab)) return;
    CHECK(NetLab::existing().size() == before.size() + 4);
    lab.cluster().start(kThree);
  }
  CHECK(NetLab::existing() == before);
}

TEST_CASE(
    "netns: a node whose packets vanish both ways is replaced, and rejoins with its connections half open") {
  NetLab lab(kThree);
  if (!possible(lab)) return;
  auto& cluster = lab.cluster();
  fill(cluster);
  lab.cut_between({"c"}, {"a", "b"});
  live::require_quiet(cluster, {"a", "b"}, kChildren);
  live::require_quiet(cluster, {"c"}, kChildren);
  lab.heal_between({"c"}, {"a", "b"});
  live::require_quiet(cluster, kChildren);
}

TEST_CASE("netns: two nodes that cannot reach each other live on through the third") {
  NetLab lab(kThree);
  if (!possible(lab)) return;
  auto& cluster = lab.cluster();
  fill(cluster);
  lab.cut_between({"a"}, {"b"});
  REQUIRE(eventually([&] {
    return state_of(cluster, "a", "b") == "indirect" && state_of(cluster, "b", "a") == "indirect";
  }));
  for (const std::string node : {"a", "b"})
    for (std::size_t i = 0; i < kChildren; ++i)
      CHECK(cluster.query(node, {"call", "x-" + std::to_string(i), "get", "{}"}) == Json{{"total", 0}});
  lab.heal_between({"a"}, {"b"});
  live::require_quiet(cluster, kChildren);
  live::check_nobody_died(cluster);
}

TEST_CASE("netns: a node that hears nobody but is heard is replaced, and rejoins") {
  NetLab lab(kThree);
  if (!possible(lab)) return;
  auto& cluster = lab.cluster();
  fill(cluster);
  lab.cut_from({"a", "b"}, {"c"});
  live::require_quiet(cluster, {"a", "b"}, kChildren);
  live::require_quiet(cluster, {"c"}, kChildren);
  lab.heal_from({"a", "b"}, {"c"});
  live::require_quiet(cluster, kChildren);
}

TEST_CASE("netns: a node that boots while nobody answers its packets runs alone, and joins later") {
  NetLab lab(kThree);
  if (!possible(lab)) return;
  auto& cluster = lab.cluster();
  cluster.start(Names{"a", "b"});
  live::start_counters(cluster, "a", "x", kChildren);
  lab.cut_between({"c"}, {"a", "b"});
  cluster.start("c");
  live::require_quiet(cluster, {"a", "b"}, kChildren);
  live::require_quiet(cluster, {"c"}, 0);
  live::start_counters(cluster, "c", "alone", 5);
  lab.heal_between({"c"}, {"a", "b"});
  live::require_quiet(cluster, kChildren + 5);
}

TEST_CASE("netns: a pulled cable that is plugged in again") {
  NetLab lab(kThree);
  if (!possible(lab)) return;
  auto& cluster = lab.cluster();
  fill(cluster);
  lab.plug("b", false);
  live::require_quiet(cluster, {"a", "c"}, kChildren);
  lab.plug("b", true);
  live::require_quiet(cluster, kChildren);
}

}  // namespace faults_netns_test
