// Hooks without a built-in strategy behind them, so far: a quorum that is lost and comes back.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/sim/hooks_of_a_quorum.hpp"

namespace hooks_test {

using namespace processhub;
using namespace processhub::sim;

TEST_CASE("a node tells when its quorum is lost and when it is back, each once and with whom it sees") {
  const auto told = hooks_of_a_quorum(false);
  CHECK(told == std::vector<std::string>{"quorum_lost a/1", "quorum_regained a/1 b/1"});
}

TEST_CASE("a node that boots without a quorum has lost none, and is told of none regained") {
  const auto told = hooks_of_a_quorum(true);
  CHECK(told == std::vector<std::string>{"quorum_lost a/1", "quorum_regained a/1 b/1"});
}

}  // namespace hooks_test
