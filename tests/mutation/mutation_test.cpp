// The test of the tests: this program is built with bugs that can be switched on one at a time, and the swarm
// must find each of them within so many seeds. One that it does not find is a hole in the swarm or in the
// checkers.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/protocol/mutation.hpp"
#include "tests/support/seat_model.hpp"
#include "transport/sim/scenario.hpp"
#include "transport/sim/swarm.hpp"

namespace mutation_test {

using namespace processhub;
using namespace processhub::sim;
using protocol::Mutation;

namespace {

struct Mutant {
  Mutation mutation;
  const char* name;
  std::uint64_t within;            ///< seeds
  const char* scenario = nullptr;  ///< of tests/cases, which gives something else with the bug in
};

const std::vector<Mutant> kMutants{
    {Mutation::forgets_removed_starts, "forgets_removed_starts", 400},
    {Mutation::keeps_what_others_removed, "keeps_what_others_removed", 400},
    {Mutation::starts_without_release, "starts_without_release", 400},
    {Mutation::starts_before_tables, "starts_before_tables", 400},
    {Mutation::never_takes_over, "never_takes_over", 400},
    {Mutation::reuses_generation, "reuses_generation", 400},
    {Mutation::restart_keeps_generation, "restart_keeps_generation", 400},
    {Mutation::promotes_without_demotion, "promotes_without_demotion", 400},
    {Mutation::ignores_higher_generation, "ignores_higher_generation", 400},
    {Mutation::accepts_earlier_life, "accepts_earlier_life", 400},
    {Mutation::loser_stays, "loser_stays", 400},
    {Mutation::never_unlocks, "never_unlocks", 400},
    {Mutation::no_gap_repair, "no_gap_repair", 400},
    {Mutation::no_digests, "no_digests", 400},
    {Mutation::no_resend, "no_resend", 400},
    {Mutation::delivers_twice, "delivers_twice", 400},
    {Mutation::confirms_too_early, "confirms_too_early", 400},
    {Mutation::answers_too_early, "answers_too_early", 400},
    {Mutation::no_timeouts, "no_timeouts", 400},
    {Mutation::leaves_at_once, "leaves_at_once", 400},
    {Mutation::no_lease, "no_lease", 400},
    {Mutation::thaws_after_commit, "thaws_after_commit", 400},
    {Mutation::takes_over_at_once, "takes_over_at_once", 0, "quorum_static"},
    {Mutation::overtakes_moves, "overtakes_moves", 0, "hot_swap_in_order"},
    {Mutation::direct_at_once, "direct_at_once", 0, "hot_swap_in_order_at_home"},
    {Mutation::merges_twice, "merges_twice", 0, "hot_swap_merge_repeated"},
    {Mutation::activates_without_state, "activates_without_state", 0, "hot_swap_join"},
};

/// The plans of bugs that were found before find some of these again, too.
std::string broken_plan(std::string& what) {
  for (const auto& entry : std::filesystem::directory_iterator(PH_SOURCE_DIR "/tests/sim/plans")) {
    std::ifstream in(entry.path());
    const auto plan = Plan::parse((std::ostringstream() << in.rdbuf()).str());
    REQUIRE(plan.ok());
    const auto result = run_plan(*plan, {});
    if (!result.violation) continue;
    what = result.violation->invariant + ": " + result.violation->what;
    return entry.path().filename().string();
  }
  return {};
}

/// What the scenario should give, and does not; empty: it gives it.
std::string difference(const char* scenario, Mutation mutation) {
  std::ifstream in(PH_SOURCE_DIR "/tests/cases/" + std::string(scenario) + ".txt");
  REQUIRE(in.good());
  const auto text = split_scenario((std::ostringstream() << in.rdbuf()).str());
  protocol::active_mutation = mutation;
  std::istringstream given(Scenario().run(text.commands));
  protocol::active_mutation = Mutation::none;
  std::istringstream wanted(text.expected);
  std::string is;
  std::string should;
  while (std::getline(wanted, should)) {
    if (!std::getline(given, is) || is != should) return "'" + is + "', not '" + should + "'";
  }
  return std::getline(given, is) ? "'" + is + "' more" : "";
}

/// The first seed that breaks an invariant; 0: none does.
std::uint64_t first_broken(Mutation mutation, std::uint64_t seeds, std::string& what) {
  protocol::active_mutation = mutation;
  std::uint64_t found = 0;
  for (std::uint64_t seed = 1; seed <= seeds && found == 0; ++seed) {
    const auto result = run_swarm(seed, {});
    if (!result.violation) continue;
    what = result.violation->invariant + ": " + result.violation->what;
    found = seed;
  }
  protocol::active_mutation = Mutation::none;
  return found;
}

void find_all(std::size_t part, std::size_t parts) {
  for (std::size_t i = part; i < kMutants.size(); i += parts) {
    const auto& mutant = kMutants[i];
    std::string what;
    if (mutant.scenario != nullptr) {
      what = difference(mutant.scenario, mutant.mutation);
      CHECK_MESSAGE(!what.empty(), mutant.name << " changes nothing in " << mutant.scenario);
      CHECK(difference(mutant.scenario, Mutation::none).empty());
      std::printf("%-28s %-18s %s\n", mutant.name, mutant.scenario, what.substr(0, 110).c_str());
      continue;
    }
    const auto seed = first_broken(mutant.mutation, mutant.within, what);
    std::string found = "seed " + std::to_string(seed);
    if (seed == 0) {
      protocol::active_mutation = mutant.mutation;
      found = broken_plan(what);
      protocol::active_mutation = Mutation::none;
    }
    std::printf("%-28s %-18s %s\n", mutant.name, found.c_str(), what.substr(0, 110).c_str());
    CHECK_MESSAGE(!found.empty(),
                  mutant.name << " is not found within " << mutant.within << " seeds, nor by a plan");
  }
}

}  // namespace

TEST_CASE("without a mutation this build is the product") {
  std::string what;
  CHECK_MESSAGE(first_broken(Mutation::none, 30, what) == 0, what);
}

TEST_CASE("the swarm finds every bug that is put in, part 1 of 2") { find_all(0, 2); }
TEST_CASE("the swarm finds every bug that is put in, part 2 of 2") { find_all(1, 2); }

TEST_CASE("the model of votes finds who proposes without asking for earlier ones") {
  const auto wrong = [] {
    std::string what;
    for (std::uint64_t seed = 1; seed <= 100 && what.empty(); ++seed)
      what = test::SeatModel(seed, 1 + seed % 6, true).run(300);
    return what;
  };
  CHECK(wrong().empty());
  protocol::active_mutation = Mutation::forgets_votes;
  const auto what = wrong();
  protocol::active_mutation = Mutation::none;
  std::printf("%-28s %-18s %s\n", "forgets_votes", "votes", what.c_str());
  CHECK_FALSE(what.empty());
}

}  // namespace mutation_test
