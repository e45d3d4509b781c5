#include "core/protocol/cluster_options.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace cluster_options_test {

using namespace processhub;
using namespace processhub::protocol;

namespace {

HubConfig replicated(const std::string& factor) {
  HubConfig config;
  config.redundancy = {"replication", {{"factor", factor}}};
  return config;
}

std::string difference(const HubConfig& a, const HubConfig& b) {
  return options_difference(NodeId::of("a", 1), cluster_wide_options(a), NodeId::of("b", 2),
                            cluster_wide_options(b));
}

}  // namespace

TEST_CASE("cluster options: the text names every strategy and its options, and not what may differ") {
  auto config = replicated("3");
  config.weight = 7;
  config.zone = "z";
  CHECK(cluster_wide_options(config) ==
        "distribution=rendezvous\nredundancy=replication\nredundancy.factor=3\nmigration=cold_swap\n"
        "synchronization=pubsub\npartition_tolerance=divergence\n");
}

TEST_CASE("cluster options: a difference is named by its key, with both values and both nodes") {
  CHECK(difference(replicated("3"), replicated("2")) ==
        "cluster-wide options differ: redundancy.factor is '3' on a/1, '2' on b/2");
  auto none = replicated("3");
  none.redundancy.options.clear();
  CHECK(difference(none, replicated("2")) ==
        "cluster-wide options differ: redundancy.factor is not given on a/1, '2' on b/2");
  CHECK(difference(replicated("3"), none) ==
        "cluster-wide options differ: redundancy.factor is '3' on a/1, not given on b/2");
}

TEST_CASE("cluster options: of two different strategies only the names are told") {
  auto gossips = replicated("2");
  gossips.synchronization = {"gossip", {{"recipients", "5"}}};
  CHECK(difference(HubConfig{}, gossips) ==
        "cluster-wide options differ: redundancy is 'singularity' on a/1, 'replication' on b/2; "
        "synchronization is 'pubsub' on a/1, 'gossip' on b/2");
}

TEST_CASE("cluster options: a value may contain what separates options elsewhere") {
  HubConfig one;
  HubConfig other;
  one.distribution = {"together", {{"separator", ", ="}}};
  other.distribution = {"together", {{"separator", "="}}};
  CHECK(difference(one, other) ==
        "cluster-wide options differ: distribution.separator is ', =' on a/1, '=' on b/2");
}

TEST_CASE("cluster options: whatever a stranger sends, the text stays short and printable") {
  const auto text = [](std::string_view theirs) {
    return options_difference(NodeId::of("a", 1), "x=1\n", NodeId::of("b", 2), theirs);
  };
  CHECK(text("") == "cluster-wide options differ: x is '1' on a/1, not given on b/2");
  CHECK(text("x=1") == "cluster-wide options differ, in a way that is not known here");
  CHECK(text("garbage\n\n=\nx=1\n") == "cluster-wide options differ:  is not given on a/1, '' on b/2");
  CHECK(text("x=\x1b[2J\r\x7f") ==
        "cluster-wide options differ: x is '1' on a/1, '?[2J?"
        "?' on b/2");
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += std::string(5'000, 'k') + std::to_string(i) + "=v\n";
  const auto told = text(many);
  CHECK(told.size() < 2'000);
  CHECK(told.find("; and 9993 more") != std::string::npos);
}

}  // namespace cluster_options_test
