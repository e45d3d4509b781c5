#include "core/protocol/registry.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace processhub::protocol::registry_test {
namespace {

const NodeId kA = NodeId::of("a", 1);
const NodeId kB = NodeId::of("b", 2);

struct Nobody : Registry::Listener {
  void on_child_changed(Child&) override {}
};

std::shared_ptr<const SpecRecord> spec(NodeId origin, std::uint64_t counter, const std::string& id) {
  auto s = std::make_shared<SpecRecord>();
  s->uid = {origin, counter};
  s->spec = SharedSpec({.id = id, .type = "counter"});
  return s;
}

TableRow row(const Uid& uid, std::uint64_t epoch, InstanceState state = InstanceState::running) {
  return {uid, epoch, 0, Role::active, state, 1};
}

auto everybody = [](NodeId) { return true; };

TEST_CASE("a removed spec does not come back, however late it arrives again") {
  Nobody nobody;
  Registry r(nobody);
  CHECK(r.add_spec(spec(kA, 1, "x")));
  r.remove_spec({kA, 1});
  CHECK_FALSE(r.add_spec(spec(kA, 1, "x")));
  CHECK(r.winner("x") == nullptr);
  r.remove_spec({kA, 2});  // the removal overtakes the spec
  CHECK_FALSE(r.add_spec(spec(kA, 2, "y")));
  CHECK(r.live_count() == 0);
}

TEST_CASE("of two starts of one id every node picks the same winner, whichever it saw first") {
  Nobody nobody;
  Registry one(nobody);
  Registry two(nobody);
  one.add_spec(spec(kA, 1, "x"));
  one.add_spec(spec(kB, 1, "x"));
  two.add_spec(spec(kB, 1, "x"));
  two.add_spec(spec(kA, 1, "x"));
  CHECK(one.winner("x")->uid == two.winner("x")->uid);
  CHECK(one.spec_digest() == two.spec_digest());
}

TEST_CASE("digests of equal tables are equal whatever the order, and follow every change") {
  Nobody nobody;
  Registry one(nobody);
  Registry two(nobody);
  one.put_row(kA, row({kA, 1}, 1), 1);
  one.put_row(kA, row({kA, 2}, 1), 2);
  two.put_row(kA, row({kA, 2}, 1), 1);
  two.put_row(kA, row({kA, 1}, 1), 2);
  CHECK(one.table(kA).digest == two.table(kA).digest);
  two.put_row(kA, row({kA, 1}, 2), 3);
  CHECK(one.table(kA).digest != two.table(kA).digest);
  two.put_row(kA, row({kA, 1}, 0, InstanceState::released), 4);
  one.put_row(kA, row({kA, 1}, 0, InstanceState::released), 3);
  CHECK(one.table(kA).digest == two.table(kA).digest);
}

TEST_CASE("changes newer than a version are found, and a log that was cut says so") {
  Nobody nobody;
  Registry r(nobody);
  for (std::uint64_t v = 1; v <= 10; ++v) {
    r.put_row(kA, row({kA, v}, 1), v);
    r.table(kA).version = v;
  }
  std::vector<Uid> changed;
  CHECK(r.rows_since(kA, 7, changed));
  CHECK(changed == std::vector<Uid>{{kA, 8}, {kA, 9}, {kA, 10}});
  for (std::uint64_t v = 11; v <= 3000; ++v) {
    r.put_row(kA, row({kA, 1}, v), v);
    r.table(kA).version = v;
  }
  changed.clear();
  CHECK_FALSE(r.rows_since(kA, 7, changed));
}

TEST_CASE("readers see instances of living nodes only, the highest generation first") {
  Nobody nobody;
  Registry r(nobody);
  r.add_spec(spec(kA, 1, "x"));
  r.put_row(kA, row({kA, 1}, 1), 1);
  r.put_row(kB, row({kA, 1}, 2), 1);
  auto changes = r.take_changes(everybody);
  REQUIRE(changes.size() == 1);
  REQUIRE(changes[0].record);
  REQUIRE(changes[0].record->instances.size() == 2);
  CHECK(changes[0].record->instances[0].ref.node == kB);
  r.touch(*r.winner("x"));
  changes = r.take_changes([](NodeId n) { return n == kA; });
  REQUIRE(changes.size() == 1);
  REQUIRE(changes[0].record->instances.size() == 1);
  CHECK(changes[0].record->instances[0].ref.node == kA);
  r.remove_spec({kA, 1});
  changes = r.take_changes(everybody);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].record == std::nullopt);
}

TEST_CASE("values merge by version and writer, in any order") {
  Nobody nobody;
  Registry r(nobody);
  r.add_spec(spec(kA, 1, "x"));
  const SpecValue older{1, kB, false, "", {}, {1, kB, Metadata{{"k", "old"}}}, {}};
  const SpecValue newer{2, kA, true, "why", {}, {2, kA, Metadata{{"k", "new"}}}, {}};
  CHECK(r.merge_value({kA, 1}, newer));
  CHECK_FALSE(r.merge_value({kA, 1}, older));
  CHECK(r.winner("x")->value->failed);
  CHECK(r.winner("x")->value->noted.metadata->at("k") == "new");
}

TEST_CASE("a table knows the children it has rows of, and forgets them with the rows") {
  Nobody nobody;
  Registry r(nobody);
  for (std::uint64_t n = 1; n <= 3; ++n) r.put_row(kB, row({kA, n}, 1), n);
  CHECK(r.rows_of(kB) == std::vector<Uid>{{kA, 1}, {kA, 2}, {kA, 3}});
  r.put_row(kB, row({kA, 2}, 0, InstanceState::released), 4);
  CHECK(r.rows_of(kB) == std::vector<Uid>{{kA, 1}, {kA, 3}});
  CHECK(r.find({kA, 2}) == nullptr);
  r.drop_table(kB);
  CHECK(r.rows_of(kB).empty());
  CHECK(r.find({kA, 1}) == nullptr);
}

TEST_CASE("a node explains long what changed in its own table, and of others the last of it") {
  Nobody nobody;
  Registry r(nobody, kA);
  for (std::uint64_t n = 1; n <= 800; ++n) {
    r.put_row(kA, row({kA, n}, 1), n);
    r.put_row(kB, row({kB, n}, 1), n);
  }
  r.table(kA).version = r.table(kB).version = 800;
  std::vector<Uid> changed;
  CHECK(r.rows_since(kA, 0, changed));
  CHECK(changed.size() == 800);
  changed.clear();
  CHECK(r.rows_since(kB, 750, changed));
  CHECK(changed.size() == 50);
  CHECK_FALSE(r.rows_since(kB, 0, changed));
}

TEST_CASE(
    "a place by load, an edit and a failure of the same moment are all kept, in whatever order they come") {
  const auto nothing = SpecValue{};
  auto failed = nothing.next(kB);
  failed.failed = true;
  std::vector<SpecValue> news{nothing.noted_as({{"k", "new"}}, kA), nothing.placed_at({kB}, kB), failed};
  std::vector<std::size_t> order{0, 1, 2};
  std::uint64_t digest = 0;
  do {
    Nobody nobody;
    Registry r(nobody);
    r.add_spec(spec(kA, 1, "x"));
    for (const auto n : order) {
      const auto known = r.spec_digest();
      CHECK(r.merge_value({kA, 1}, news[n]));
      CHECK(r.spec_digest() != known);
      CHECK_FALSE(r.merge_value({kA, 1}, news[n]));
    }
    const auto& value = *r.winner("x")->value;
    REQUIRE(value.noted.metadata);
    CHECK(value.noted.metadata->at("k") == "new");
    CHECK(value.failed);
    CHECK(value.placed.nodes == std::vector<NodeId>{kB});
    CHECK(r.winner("x")->placed().front() == kB);
    if (digest != 0) CHECK(r.spec_digest() == digest);
    digest = r.spec_digest();
  } while (std::next_permutation(order.begin(), order.end()));
}

}  // namespace
}  // namespace processhub::protocol::registry_test
