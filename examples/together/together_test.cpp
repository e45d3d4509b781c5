// Tests of the strategy: what every distribution must do, what this one promises beyond, and its options.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
#include <processhub/testing.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "together.hpp"

namespace ph = processhub;
using Names = std::vector<std::string>;

namespace {

ph::StrategyCatalog own_strategies() {
  ph::StrategyCatalog catalog;
  catalog.add_distribution("together", make_together);
  return catalog;
}

class Part : public ph::Worker {};

/// Nodes a, b and c, with a config as a file would have it.
ph::testing::ClusterOptions cluster_with(const std::string& config) {
  return {.types = ph::WorkerTypes{}.add<Part>("part"),
          .strategies = own_strategies(),
          .config = ph::HubConfig::from_text(config).value()};
}

std::vector<ph::ChildSpec> parts(int carts) {
  std::vector<ph::ChildSpec> out;
  for (int cart = 0; cart < carts; ++cart) {
    for (const auto* part : {"items", "payment", "history"})
      out.push_back({.id = "cart-" + std::to_string(cart) + "/" + part, .type = "part"});
  }
  return out;
}

bool carts_are_whole(const ph::testing::Cluster& cluster, int carts) {
  for (int cart = 0; cart < carts; ++cart) {
    const auto id = "cart-" + std::to_string(cart);
    const auto at = cluster.runs_on(id + "/items");
    if (at.size() != 1 || cluster.runs_on(id + "/payment") != at || cluster.runs_on(id + "/history") != at)
      return false;
  }
  return true;
}

std::string mistake(const ph::StrategyOptions& options) {
  const auto made = make_together(options);
  return made ? "none" : made.error().message;
}

}  // namespace

TEST_CASE("together does what every distribution does") {
  CHECK(ph::testing::check_distribution({own_strategies(), {"together", {}}}));
  CHECK(ph::testing::check_distribution(
      {own_strategies(), {"together", {{"separator", "-"}, {"prefix", "last"}}}}));
}

TEST_CASE("carts stay whole while nodes join, crash and leave, and are spread over all nodes") {
  ph::testing::Cluster cluster(cluster_with("distribution = together\n[hub]\nid = shop\n"));
  cluster.add_nodes({"a", "b", "c"});
  REQUIRE(cluster.start("a", parts(30)));
  REQUIRE(cluster.settle());
  CHECK(carts_are_whole(cluster, 30));
  for (const auto* node : {"a", "b", "c"}) CHECK(cluster.children_on(node).size() >= 3 * 4);

  cluster.add_node("d");
  REQUIRE(cluster.settle());
  CHECK(carts_are_whole(cluster, 30));
  CHECK(!cluster.children_on("d").empty());
  cluster.crash("b");
  REQUIRE(cluster.settle());
  CHECK(carts_are_whole(cluster, 30));
  REQUIRE(cluster.leave("a"));
  REQUIRE(cluster.settle());
  CHECK(carts_are_whole(cluster, 30));
}

TEST_CASE("one part of a cart does not go elsewhere, not even by hand") {
  ph::testing::Cluster cluster(cluster_with("distribution = together\n[hub]\nid = shop\n"));
  cluster.add_nodes({"a", "b"});
  REQUIRE(cluster.start("a", parts(1)));
  REQUIRE(cluster.settle());
  const std::string other = cluster.runs_on("cart-0/items") == Names{"a"} ? "b" : "a";
  const auto moved = cluster.migrate("a", "cart-0/items", other);
  REQUIRE(!moved);
  CHECK(moved.error().message ==
        "the distribution 'together' does not put 'cart-0/items' on node '" + other + "'");
}

TEST_CASE("the prefix ends where the options say") {
  CHECK(Together({}).prefix_of("a/b/c") == "a");
  CHECK(Together({.last = true}).prefix_of("a/b/c") == "a/b");
  CHECK(Together({.separator = "::"}).prefix_of("a::b/c") == "a");
  CHECK(Together({}).prefix_of("alone") == "alone");
}

TEST_CASE("what is wrong with the options is named") {
  CHECK(mistake({{"separator", "."}, {"prefix", "first"}}) == "none");
  CHECK(mistake({{"prefix", "middle"}}) == "prefix is 'middle', expected first or last");
  CHECK(mistake({{"separator", ""}}) == "separator is empty");
  CHECK(mistake({{"seperator", "."}}) == "unknown option 'seperator'; known: separator, prefix");
}
