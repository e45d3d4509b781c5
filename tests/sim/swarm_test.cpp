// The seeds: each is one random life of a cluster with faults. PH_SIM_SEEDS says how many (default 1,500).
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "transport/sim/swarm.hpp"

namespace swarm_test {

using namespace processhub;
using namespace processhub::sim;

namespace {

constexpr std::uint64_t kParts = 10;

std::uint64_t seed_count() {
  const char* text = std::getenv("PH_SIM_SEEDS");
  return text == nullptr ? 1'500 : std::strtoull(text, nullptr, 10);
}

void play(std::uint64_t seed, const SwarmOptions& options) {
  const auto result = run_swarm(seed, options);
  if (!result.violation) return;
  FAIL_CHECK("seed " << seed << " breaks " << result.violation->invariant << ": " << result.violation->what
                     << "\n  replay: build/release/hub-sim --replay " << seed << " --nodes "
                     << options.nodes_min << ".." << options.nodes_max << " --trace");
}

/// Every kParts-th seed, so that the parts take equally long whatever the count.
void play_part(std::uint64_t part) {
  for (std::uint64_t seed = part; seed <= seed_count(); seed += kParts) play(seed, {});
}

}  // namespace

TEST_CASE("random lives of clusters keep the invariants, part 1 of 10") { play_part(1); }
TEST_CASE("random lives of clusters keep the invariants, part 2 of 10") { play_part(2); }
TEST_CASE("random lives of clusters keep the invariants, part 3 of 10") { play_part(3); }
TEST_CASE("random lives of clusters keep the invariants, part 4 of 10") { play_part(4); }
TEST_CASE("random lives of clusters keep the invariants, part 5 of 10") { play_part(5); }
TEST_CASE("random lives of clusters keep the invariants, part 6 of 10") { play_part(6); }
TEST_CASE("random lives of clusters keep the invariants, part 7 of 10") { play_part(7); }
TEST_CASE("random lives of clusters keep the invariants, part 8 of 10") { play_part(8); }
TEST_CASE("random lives of clusters keep the invariants, part 9 of 10") { play_part(9); }
TEST_CASE("random lives of clusters keep the invariants, part 10 of 10") { play_part(10); }

TEST_CASE("one seed gives one history, event by event") {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
    CAPTURE(seed);
    std::uint64_t hashes[2] = {};
    for (auto& hash : hashes) {
      TraceTail tail(0);
      run_swarm(seed, {}, [&tail](const std::string& line) { tail.add(line); });
      CHECK(tail.count() > 1'000);
      hash = tail.hash();
    }
    CHECK(hashes[0] == hashes[1]);
  }
}

}  // namespace swarm_test
