// Seats: what nodes merge of each other about who is counted.
#include "core/protocol/seats.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace seats_test {

using processhub::protocol::Seat;
using processhub::protocol::Seats;

namespace {

bool merge_all(Seats& into, const Seats& from) {
  bool changed = false;
  for (const auto& seat : from.all()) changed = into.merge(seat) || changed;
  return changed;
}

}  // namespace

TEST_CASE("seats are formed by the first name, and every change is a later version") {
  Seats seats;
  CHECK_FALSE(seats.formed());
  CHECK(seats.digest() == 0);
  CHECK_FALSE(seats.set("a", false));
  CHECK(seats.set("a", true));
  CHECK_FALSE(seats.set("a", true));
  CHECK(seats.formed());
  CHECK(seats.digest() != 0);
  CHECK(seats.set("a", false));
  CHECK(seats.formed());
  CHECK(seats.names().empty());
  CHECK(seats.knows("a"));
  CHECK_FALSE(seats.knows("b"));
  CHECK(seats.all().at(0).version == 2);
}

TEST_CASE("seats end equal whatever was heard first, and a repetition changes nothing") {
  Seats one;
  one.set("a", true);
  one.set("b", true);
  Seats two = one;
  one.set("b", false);
  two.set("c", true);
  Seats there = one;
  Seats back = two;
  CHECK(merge_all(there, two));
  CHECK(merge_all(back, one));
  CHECK(there.digest() == back.digest());
  CHECK(there.names() == std::vector<std::string>{"a", "c"});
  CHECK_FALSE(merge_all(there, two));
  CHECK_FALSE(merge_all(there, one));
}

TEST_CASE("of two changes of one seat that did not know of each other the one that lets in counts") {
  Seats out;
  CHECK(out.merge({"a", 3, false}));
  CHECK(out.merge({"a", 3, true}));
  CHECK_FALSE(out.merge({"a", 3, false}));
  CHECK_FALSE(out.merge({"a", 2, false}));
  CHECK(out.has("a"));
  CHECK(out.merge({"a", 4, false}));
  CHECK_FALSE(out.has("a"));
}

}  // namespace seats_test
