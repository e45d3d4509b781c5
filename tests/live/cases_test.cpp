// The golden scenarios that need no faults of the network, on real processes: the same text, the same output.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "tests/live/support/live_scenario.hpp"

namespace cases_test {

namespace {

void play(const std::string& name) {
  std::ifstream file(std::string(PH_SOURCE_DIR) + "/tests/cases/" + name + ".txt");
  REQUIRE(file.good());
  std::ostringstream text;
  text << file.rdbuf();
  live::LiveScenario(text.str()).run();
}

}  // namespace

TEST_CASE("real processes play the scenario: start_and_stop") { play("start_and_stop"); }
TEST_CASE("real processes play the scenario: start_existing_id") { play("start_existing_id"); }
TEST_CASE("real processes play the scenario: metadata_reaches_all") { play("metadata_reaches_all"); }
TEST_CASE("real processes play the scenario: owner_is_killed") { play("owner_is_killed"); }
TEST_CASE("real processes play the scenario: killed_node_returns") { play("killed_node_returns"); }
TEST_CASE("real processes play the scenario: node_joins") { play("node_joins"); }
TEST_CASE("real processes play the scenario: node_leaves") { play("node_leaves"); }
TEST_CASE("real processes play the scenario: paused_node") { play("paused_node"); }
TEST_CASE("real processes play the scenario: start_with_a_node_out") { play("start_with_a_node_out"); }
TEST_CASE("real processes play the scenario: confirming_node_dies") { play("confirming_node_dies"); }
TEST_CASE("real processes play the scenario: last_node_leaves") { play("last_node_leaves"); }
TEST_CASE("real processes play the scenario: known_only_through_another") {
  play("known_only_through_another");
}

}  // namespace cases_test
