// The options of hot_swap. What it does is tested on whole clusters, in tests/cases and tests/sim.
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "strategies/migration/cold_swap.hpp"
#include "strategies/migration/hot_swap.hpp"

namespace hot_swap_test {

using namespace processhub;
using namespace std::chrono_literals;

TEST_CASE("hot_swap hands states over, and waits as long as it is told to") {
  const auto usual = (*make_hot_swap({}))->plan();
  CHECK(usual.hot);
  CHECK(usual.hand_over_state);
  CHECK_FALSE(usual.confirm);
  CHECK_FALSE(usual.cold_if_refused);
  CHECK(usual.retention == 0s);
  CHECK(usual.data_wait == 3s);
  CHECK(usual.timeout == 10s);
  const auto other = (*make_hot_swap({{"handover", "false"},
                                      {"retention", "5s"},
                                      {"confirm_handover", "true"},
                                      {"handover_data_wait", "250ms"},
                                      {"child_migration_timeout", "1m"},
                                      {"fallback", "cold"}}))
                         ->plan();
  CHECK_FALSE(other.hand_over_state);
  CHECK(other.confirm);
  CHECK(other.cold_if_refused);
  CHECK(other.retention == 5s);
  CHECK(other.data_wait == 250ms);
  CHECK(other.timeout == 60s);
  CHECK((*make_hot_swap({{"retention", "none"}, {"fallback", "stay"}}))->plan().retention == 0s);
  CHECK_FALSE((*make_cold_swap({}))->plan().hot);
}

TEST_CASE("mistakes in the options of hot_swap are errors that say what is expected") {
  const std::map<std::pair<std::string, std::string>, std::string> mistakes{
      {{"handover", "maybe"}, "handover: expected true or false, not 'maybe'"},
      {{"retention", "5"},
       "retention: expected a duration such as 250ms, 2s or 1m, not '5': the unit (ms, s, m "
       "or h) is missing"},
      {{"handover_data_wait", "1ms"}, "handover_data_wait is 1 ms, expected 10 ms to an hour"},
      {{"child_migration_timeout", "2h"},
       "child_migration_timeout is 7200000 ms, expected 100 ms to an hour"},
      {{"fallback", "hot"}, "fallback is 'hot', expected stay or cold"},
      {{"hand_over", "true"},
       "unknown option 'hand_over'; known: handover, retention, confirm_handover, "
       "handover_data_wait, child_migration_timeout, fallback"}};
  for (const auto& [option, text] : mistakes) {
    const auto made = make_hot_swap({{option.first, option.second}});
    REQUIRE_FALSE(made);
    CHECK(made.error().message == text);
  }
}

}  // namespace hot_swap_test
