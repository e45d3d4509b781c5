// The options of the quorum strategies and how many nodes each asks for. What the hub makes of that is tested
// on whole clusters, in tests/sim.
#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>

#include "strategies/partition_tolerance/divergence.hpp"
#include "strategies/partition_tolerance/dynamic_quorum.hpp"
#include "strategies/partition_tolerance/majority_quorum.hpp"
#include "strategies/partition_tolerance/static_quorum.hpp"

namespace quorum_test {

using namespace processhub;
using namespace std::chrono_literals;

namespace {

using Maker = Result<std::unique_ptr<PartitionTolerance>> (*)(const StrategyOptions&);

std::size_t needed(Maker make, const StrategyOptions& options, std::size_t seats, bool formed = true) {
  const auto made = make(options);
  REQUIRE_MESSAGE(made.ok(), made.error().message);
  return (*made)->needed({NodeId::of("a", 1), 1, formed, seats, 1});
}

std::string mistake(Maker make, const StrategyOptions& options) {
  const auto made = make(options);
  return made ? "none" : made.error().message;
}

}  // namespace

TEST_CASE("divergence asks for no quorum") {
  const auto made = make_divergence({});
  CHECK((*made)->plan().lease == Duration(0));
  CHECK((*made)->needed({}) == 0);
}

TEST_CASE("static quorum: the number that is given, from the begin or from the first time it is reached") {
  CHECK(needed(make_static_quorum, {{"quorum_size", "3"}}, 0, false) == 3);
  CHECK(needed(make_static_quorum, {{"quorum_size", "3"}}, 9) == 3);
  const StrategyOptions later{{"quorum_size", "3"}, {"startup_confirm", "false"}};
  CHECK(needed(make_static_quorum, later, 0, false) == 0);
  CHECK(needed(make_static_quorum, later, 3) == 3);
  CHECK((*make_static_quorum(later))->plan().formed_by == 3);
  CHECK_FALSE((*make_static_quorum(later))->plan().count_seats);
}

TEST_CASE("dynamic quorum: the share of the seats, rounded up, at least one") {
  const StrategyOptions most{{"quorum_size", "80"}};
  CHECK(needed(make_dynamic_quorum, most, 10) == 8);
  CHECK(needed(make_dynamic_quorum, most, 9) == 8);
  CHECK(needed(make_dynamic_quorum, most, 1) == 1);
  CHECK(needed(make_dynamic_quorum, {}, 4) == 3);
  CHECK(needed(make_dynamic_quorum, {}, 0, false) == 1);
  CHECK(needed(make_dynamic_quorum, {{"quorum_size", "100"}}, 7) == 7);
  CHECK((*make_dynamic_quorum({{"threshold_time", "5s"}}))->plan().forget_after == 5s);
  CHECK((*make_dynamic_quorum({}))->plan().forget_after == 30s);
}

TEST_CASE("majority quorum: more than half of the seats, and all of the first ones to begin with") {
  CHECK(needed(make_majority_quorum, {}, 1) == 1);
  CHECK(needed(make_majority_quorum, {}, 2) == 2);
  CHECK(needed(make_majority_quorum, {}, 3) == 2);
  CHECK(needed(make_majority_quorum, {}, 4) == 3);
  CHECK(needed(make_majority_quorum, {{"initial_cluster_size", "5"}}, 0, false) == 5);
  const auto plan = (*make_majority_quorum({{"track_max_size", "false"}}))->plan();
  CHECK_FALSE(plan.admits);
  CHECK(plan.by_vote);
  CHECK(plan.forget_after == kNever);
}

TEST_CASE("the options that all quorums have") {
  for (const Maker make : {make_static_quorum, make_dynamic_quorum, make_majority_quorum}) {
    StrategyOptions options;
    if (make == make_static_quorum) options["quorum_size"] = "2";
    CHECK((*make(options))->plan().lease == 2s);
    CHECK_FALSE((*make(options))->plan().trust_refused);
    options["quorum_lease"] = "500ms";
    options["trust_refused"] = "true";
    CHECK((*make(options))->plan().lease == 500ms);
    CHECK((*make(options))->plan().trust_refused);
  }
}

TEST_CASE("a wrong option of a quorum is an error that says what is expected") {
  CHECK(mistake(make_static_quorum, {}) == "quorum_size is missing, expected a number from 1 to 10000");
  CHECK(mistake(make_static_quorum, {{"quorum_size", "0"}}) ==
        "quorum_size is '0', expected a number from 1 to 10000");
  CHECK(mistake(make_dynamic_quorum, {{"quorum_size", "101"}}) ==
        "quorum_size is '101', expected a number from 1 to 100");
  for (const char* bad : {"", "3x", "-1", " 3", "many"}) {
    CAPTURE(bad);
    CHECK(mistake(make_majority_quorum, {{"initial_cluster_size", bad}}) ==
          "initial_cluster_size is '" + std::string(bad) + "', expected a number from 1 to 10000");
  }
  CHECK(mistake(make_majority_quorum, {{"track_max_size", "yes"}}) ==
        "track_max_size is 'yes', expected true or false");
  for (const char* bad : {"", "2", "2 s", "2d", "100ms", "s", "99999999999s"}) {
    CAPTURE(bad);
    CHECK(mistake(make_dynamic_quorum, {{"quorum_lease", bad}}) ==
          "quorum_lease is '" + std::string(bad) +
              "', expected a duration such as 500ms or 2s, at least 200ms");
  }
  CHECK(mistake(make_dynamic_quorum, {{"threshold", "5s"}}).find("threshold_time") != std::string::npos);
}

}  // namespace quorum_test
