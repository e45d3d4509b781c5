#include "core/protocol/tally.hpp"

#include <doctest/doctest.h>

namespace processhub::protocol::tally_test {
namespace {

using std::chrono::milliseconds;

TEST_CASE("what happens to many children is told in one line, after a short while") {
  Tally tally;
  CHECK(tally.next_deadline() == kNever);
  for (int i = 1; i <= 7; ++i)
    tally.note(Time(milliseconds(i)), LogPart::moves, LogLevel::info, "taken over from b/1",
               "x" + std::to_string(i));
  tally.note(Time(milliseconds(9)), LogPart::children, LogLevel::warn, "crashed", "y");
  CHECK(tally.take_due(Time(milliseconds(10))).empty());
  const auto lines = tally.take_due(tally.next_deadline());
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].level == LogLevel::warn);
  CHECK(lines[0].part == LogPart::children);
  CHECK(lines[0].text == "crashed: 1 child (y)");
  CHECK(lines[1].level == LogLevel::info);
  CHECK(lines[1].text == "taken over from b/1: 7 children (x1 x2 x3 x4 x5 …)");
  CHECK(lines[1].ids.size() == 7);
  CHECK(tally.next_deadline() == kNever);
}

}  // namespace
}  // namespace processhub::protocol::tally_test
