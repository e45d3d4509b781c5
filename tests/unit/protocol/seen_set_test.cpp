#include "core/protocol/seen_set.hpp"

#include <doctest/doctest.h>

namespace processhub::protocol::seen_set_test {
namespace {

const NodeId kA = NodeId::of("a", 1);
const NodeId kB = NodeId::of("b", 1);

TEST_CASE("dots that arrive in any order close into a vector") {
  SeenSet s;
  CHECK(s.add({kA, 3}));
  CHECK(s.add({kA, 1}));
  CHECK_FALSE(s.contains({kA, 2}));
  CHECK(s.add({kA, 2}));
  CHECK_FALSE(s.add({kA, 2}));
  auto snapshot = s.snapshot();
  REQUIRE(snapshot.size() == 1);
  CHECK(snapshot[0].upto == 3);
  CHECK(snapshot[0].extra.empty());
}

TEST_CASE("merged sets contain what either had, and equal sets have equal digests however they were made") {
  SeenSet left;
  SeenSet right;
  for (std::uint64_t i = 1; i <= 10; ++i) left.add({kA, i});
  right.add({kB, 2});
  right.add({kA, 12});
  SeenSet both;
  both.merge(left.snapshot());
  both.merge(right.snapshot());
  right.merge(left.snapshot());
  CHECK(both.contains({kA, 12}));
  CHECK_FALSE(both.contains({kA, 11}));
  CHECK_FALSE(both.contains({kB, 1}));
  CHECK(both.digest() == right.digest());
  CHECK(both.digest() != left.digest());
}

TEST_CASE("a vector that overtakes exceptions swallows them") {
  SeenSet s;
  s.add({kA, 5});
  s.merge({{kA, 4, {}}});
  auto snapshot = s.snapshot();
  CHECK(snapshot[0].upto == 5);
  CHECK(snapshot[0].extra.empty());
}

}  // namespace
}  // namespace processhub::protocol::seen_set_test
