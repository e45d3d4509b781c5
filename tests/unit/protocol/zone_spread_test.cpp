#include "core/protocol/zone_spread.hpp"

#include <doctest/doctest.h>

namespace zone_spread_test {

using namespace processhub;
using protocol::ZoneSpread;

namespace {

/// Nodes "a", "b" …, in this order of rank; a letter of `zones` each, '-' for none.
std::string chosen(const std::string& zones, std::size_t count) {
  HubView view;
  std::vector<NodeId> ranked;
  for (std::size_t i = 0; i < zones.size(); ++i) {
    const auto id = NodeId::of(std::string(1, static_cast<char>('a' + i)), 1);
    view.members.push_back({id, 1.0, zones[i] == '-' ? std::string() : std::string(1, zones[i]), {}});
    ranked.push_back(id);
  }
  ZoneSpread spread;
  spread.prepare(view);
  spread.choose(ranked, count);
  std::string out;
  for (const auto node : ranked) out += node.name();
  return out;
}

}  // namespace

TEST_CASE("zones: without any the best are taken") {
  CHECK(chosen("----", 2) == "ab");
  CHECK(chosen("--", 5) == "ab");
  CHECK(chosen("", 2).empty());
}

TEST_CASE("zones: the best one stays first, the others come from zones that have none yet") {
  CHECK(chosen("xxxy", 1) == "a");
  CHECK(chosen("xxxy", 2) == "ad");
  CHECK(chosen("xyz", 3) == "abc");
  CHECK(chosen("xxyyz", 3) == "ace");
}

TEST_CASE("zones: with more places than zones they are shared evenly") {
  CHECK(chosen("xxxxyy", 4) == "aebf");
  CHECK(chosen("xxxxy", 3) == "aeb");
  CHECK(chosen("xx", 2) == "ab");
}

TEST_CASE("zones: a node without one counts as a zone of its own") {
  CHECK(chosen("xx-", 2) == "ac");
  CHECK(chosen("-x-x", 3) == "abc");
}

}  // namespace zone_spread_test
