// The gossip strategy's options. What it does is tested on whole clusters, in tests/sim.
#include <doctest/doctest.h>

#include "strategies/synchronization/gossip.hpp"

namespace gossip_test {

using namespace processhub;

TEST_CASE("gossip shows digests to three others, or to as many as it is told") {
  CHECK((*make_gossip({}))->plan().recipients == 3);
  CHECK((*make_gossip({{"recipients", "1"}}))->plan().recipients == 1);
  CHECK((*make_gossip({{"recipients", "100"}}))->plan().recipients == 100);
}

TEST_CASE("gossip options out of range or unknown are errors that say what is expected") {
  for (const char* bad : {"", "0", "101", "-1", "3x", "many", " 3"}) {
    CAPTURE(bad);
    const auto made = make_gossip({{"recipients", bad}});
    REQUIRE_FALSE(made);
    CHECK(made.error().message ==
          "recipients is '" + std::string(bad) + "', expected a number from 1 to 100");
  }
  const auto unknown = make_gossip({{"recipient", "3"}});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message.find("recipient") != std::string::npos);
}

}  // namespace gossip_test
