#include "processhub/ids.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <type_traits>
#include <vector>

#include "core/hash.hpp"

namespace processhub::ids_test {
namespace {

static_assert(std::is_trivially_copyable_v<WorkerRef>);
static_assert(sizeof(WorkerRef) == 16);

TEST_CASE("ids: the same life is the same handle, other incarnations and names are not") {
  const auto a = NodeId::of("a", 7);
  CHECK(a == NodeId::of("a", 7));
  CHECK(a != NodeId::of("a", 8));
  CHECK(a != NodeId::of("b", 7));
  CHECK(a.name() == "a");
  CHECK(a.incarnation() == 7);
}

TEST_CASE("ids: no node is empty, says so and orders before every named node") {
  const NodeId none;
  CHECK_FALSE(none);
  CHECK(none.name().empty());
  CHECK(none < NodeId::of("a", 0));
}

TEST_CASE("ids: nodes order by name, then incarnation, whatever the order of their making") {
  const auto z = NodeId::of("order-z", 1);
  const auto b9 = NodeId::of("order-b", 9);
  const auto b10 = NodeId::of("order-b", 10);
  const auto a = NodeId::of("order-a", 100);
  CHECK(a < b9);
  CHECK(b9 < b10);
  CHECK(b10 < z);
}

TEST_CASE("ids: the hashes are those of the wire protocol") {
  CHECK(hash64("") == 0x2d06800538d394c2);
  const auto a = NodeId::of("node-a", 0x0102030405060708);
  CHECK(a.name_hash() == hash64("node-a"));
  CHECK(a.hash() == hash64(std::string("node-a") + "\x08\x07\x06\x05\x04\x03\x02\x01"));
  CHECK(a.name_hash() == NodeId::of("node-a", 2).name_hash());
  CHECK(a.hash() != NodeId::of("node-a", 2).hash());
}

TEST_CASE("ids: generations order by epoch, restarts and node") {
  const auto a = NodeId::of("a", 1);
  const auto b = NodeId::of("b", 1);
  CHECK(Generation{1, 5, b} < Generation{2, 0, a});
  CHECK(Generation{1, 0, b} < Generation{1, 1, a});
  CHECK(Generation{1, 0, a} < Generation{1, 0, b});
}

TEST_CASE("ids: texts name the whole life") {
  const auto a = NodeId::of("a", 12);
  CHECK(a.str() == "a/12");
  CHECK(WorkerRef{a, 3}.str() == "a/12/3");
  CHECK(Generation{2, 1, a}.str() == "2.1@a/12");
  CHECK(Uid{a, 9}.str() == "a/12#9");
}

TEST_CASE("ids: threads that make the same life at once get the same handle") {
  std::vector<NodeId> made(8);
  std::vector<std::thread> threads;
  threads.reserve(made.size());
  for (auto& id : made) threads.emplace_back([&id] { id = NodeId::of("raced", 1); });
  for (auto& thread : threads) thread.join();
  for (const auto& id : made) CHECK(id == made[0]);
}

}  // namespace
}  // namespace processhub::ids_test
