#include "core/protocol/containers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>

namespace processhub::protocol::containers_test {
namespace {

TEST_CASE("a fifo gives back in order what was put in, however the two alternate") {
  Fifo<std::string> queue;
  std::deque<std::string> expected;
  std::uint64_t draw = 1;
  for (int step = 0; step < 20000; ++step) {
    draw = draw * 6364136223846793005ULL + 1442695040888963407ULL;
    const bool grows = (step / 500) % 2 == 0;
    if (expected.empty() || (draw >> 60) < (grows ? 10U : 6U)) {
      queue.push_back(std::to_string(step));
      expected.push_back(std::to_string(step));
    } else {
      REQUIRE(queue.front() == expected.front());
      queue.pop_front();
      expected.pop_front();
    }
    REQUIRE(queue.size() == expected.size());
    REQUIRE(queue.empty() == expected.empty());
    if (!expected.empty()) REQUIRE(queue.back() == expected.back());
  }
  CHECK(std::equal(queue.begin(), queue.end(), expected.begin(), expected.end()));
  queue.clear();
  CHECK(queue.empty());
}

}  // namespace
}  // namespace processhub::protocol::containers_test
