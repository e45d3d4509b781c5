// The vote on who is counted, by itself: tests/support/seat_model.hpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>

#include "core/protocol/seat_vote.hpp"
#include "tests/support/seat_model.hpp"

namespace seat_vote_test {

using namespace processhub;
using test::SeatModel;

TEST_CASE("votes on seats: one decision for a roll, and never two sides, whatever is lost and whoever ends") {
  std::size_t epochs = 0;
  std::size_t decisions = 0;
  for (std::uint64_t seed = 1; seed <= 8000; ++seed) {
    CAPTURE(seed);
    SeatModel model(seed, 1 + seed % 6, seed % 4 != 0);
    const auto wrong = model.run(300);
    REQUIRE_MESSAGE(wrong.empty(), wrong);
    epochs += model.last_epoch();
    decisions += model.decisions();
  }
  MESSAGE(decisions << " decisions, " << epochs << " changes");
  CHECK(decisions >= epochs);
  CHECK(epochs > 3000);
}

}  // namespace seat_vote_test
