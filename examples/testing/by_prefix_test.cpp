// Tests of the strategy: where children are while nodes come, go and are cut off.
#include <doctest/doctest.h>
#include <processhub/testing.hpp>

#include <string>
#include <vector>

#include "by_prefix.hpp"
#include "session.hpp"

namespace ph = processhub;
using Names = std::vector<std::string>;

namespace {

struct Placed {
  Placed() {
    cluster.add_nodes({"a", "b"});
    REQUIRE(cluster.start("a", {{.id = "a/1", .type = "session"},
                                {.id = "b/1", .type = "session"},
                                {.id = "c/1", .type = "session"}}));
    REQUIRE(cluster.settle());
  }
  ph::testing::Cluster cluster{{.types = ph::WorkerTypes{}.add<Session>("session"),
                                .strategies = own_strategies(),
                                .config = {.distribution = {"by_prefix", {}}}}};
};

}  // namespace

TEST_CASE("children are on the node that their prefix names, or on the first") {
  Placed placed;
  CHECK(placed.cluster.children_on("a") == Names{"a/1", "c/1"});
  CHECK(placed.cluster.children_on("b") == Names{"b/1"});
  placed.cluster.add_node("c");
  REQUIRE(placed.cluster.settle());
  CHECK(placed.cluster.children_on("c") == Names{"c/1"});
}

TEST_CASE("the first node looks after the children of one that is gone, until it is back") {
  Placed placed;
  placed.cluster.crash("b");
  REQUIRE(placed.cluster.settle());
  CHECK(placed.cluster.children_on("a") == Names{"a/1", "b/1", "c/1"});
  placed.cluster.restart("b");
  REQUIRE(placed.cluster.settle());
  CHECK(placed.cluster.children_on("b") == Names{"b/1"});
}

TEST_CASE("a link that is cut one way moves nothing while a third node reaches both ends") {
  Placed placed;
  placed.cluster.add_node("c");
  REQUIRE(placed.cluster.settle());
  placed.cluster.cut_one_way("a", "b");
  REQUIRE(placed.cluster.settle());
  CHECK(placed.cluster.children_on("b") == Names{"b/1"});
  CHECK(placed.cluster.check());
}
