// Nodes whose every connection runs through a relay that misbehaves: cuts, delays, resets. Nothing here needs
// rights; what packets suffer is in faults_netns_test.cpp.
#include <doctest/doctest.h>

#include "tests/live/support/fault_checks.hpp"
#include "tests/live/support/relay_lab.hpp"

using live::eventually;
using live::Json;
using live::Names;
using live::RelayLab;

namespace {

constexpr std::size_t kChildren = 30;
const Names kThree = {"a", "b", "c"};

struct ThreeRelayed {
  RelayLab lab{};
  live::ProcessCluster& cluster = lab.cluster();
  ThreeRelayed() {
    cluster.start(kThree);
    live::start_counters(cluster, "a", "x", kChildren);
    live::require_quiet(cluster, kChildren);
  }
};

}  // namespace

TEST_CASE("relay: three nodes meet through it") {
  ThreeRelayed three;
  for (const auto& from : kThree)
    for (const auto& to : kThree)
      if (from != to) CHECK(three.lab.relay().passed(from, to) > 0);
}

TEST_CASE(
    "relay: a node cut off both ways is replaced, replaces the others, and one of each is left after the "
    "heal") {
  ThreeRelayed three;
  three.lab.cut_between({"c"}, {"a", "b"});
  live::require_quiet(three.cluster, {"a", "b"}, kChildren);
  live::require_quiet(three.cluster, {"c"}, kChildren);
  three.lab.heal_between({"c"}, {"a", "b"});
  live::require_quiet(three.cluster, kThree, kChildren);
}
