// Tests of the worker: it is asked, waits, crashes and is cut off in a cluster of three nodes, in virtual
// time.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
#include <processhub/testing.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "session.hpp"

namespace ph = processhub;
using namespace std::chrono_literals;
using Items = std::vector<std::string>;

namespace {

/// Three nodes, and the session s1 on one of them.
struct Shop {
  Shop() {
    cluster.add_nodes({"a", "b", "c"});
    auto started = cluster.start("a", {{.id = "s1", .type = "session"}});
    REQUIRE(started);
    REQUIRE(started->errors().empty());
    REQUIRE(cluster.settle());
  }
  ph::testing::Cluster cluster{{.seed = 7, .types = ph::WorkerTypes{}.add<Session>("session")}};
};

}  // namespace

TEST_CASE("a session keeps what is put into it, whichever node is asked") {
  Shop shop;
  for (const auto* node : {"a", "b", "c"}) CHECK(shop.cluster.call<Basket>(node, "s1", Put{node}));
  CHECK(shop.cluster.worker<Session>("s1")->basket().items == Items{"a", "b", "c"});
}

TEST_CASE("a session ends by itself half an hour after the last visit") {
  Shop shop;
  shop.cluster.run_for(29min);
  CHECK(shop.cluster.call<Basket>("a", "s1", Look{}));
  shop.cluster.run_for(29min);
  CHECK(shop.cluster.worker<Session>("s1") != nullptr);
  shop.cluster.run_for(2min);
  CHECK(shop.cluster.worker<Session>("s1") == nullptr);
  CHECK(shop.cluster.call<Basket>("b", "s1", Look{}).error().code == ph::ErrorCode::no_such_child);
  CHECK(shop.cluster.settle());
}

TEST_CASE("a visitor who logs in keeps what he chose before; a session that is not there is an error") {
  Shop shop;
  REQUIRE(shop.cluster.start("b", {{.id = "s2", .type = "session"}}));
  REQUIRE(shop.cluster.call<Basket>("a", "s1", Put{"tea"}));
  const auto taken = shop.cluster.call<Basket>("c", "s2", TakeFrom{"s1"});
  REQUIRE(taken);
  CHECK(taken->items == Items{"tea"});
  const auto nobody = shop.cluster.call<Basket>("c", "s2", TakeFrom{"s3"});
  REQUIRE(!nobody);
  CHECK(nobody.error().code == ph::ErrorCode::no_such_child);
}

TEST_CASE("a session whose node is killed starts again on another one, empty") {
  Shop shop;
  REQUIRE(shop.cluster.call<Basket>("a", "s1", Put{"tea"}));
  const auto node = shop.cluster.runs_on("s1").front();
  const std::string other = node == "a" ? "b" : "a";
  shop.cluster.crash(node);
  // Asked before anyone has noticed: the caller is told that nobody knows what became of his request.
  const auto lost = shop.cluster.call<Basket>(other, "s1", Put{"milk"});
  REQUIRE(!lost);
  CHECK(lost.error().code == ph::ErrorCode::node_down);
  // From now on a call waits for the child's new place.
  const auto basket = shop.cluster.call<Basket>(other, "s1", Look{});
  REQUIRE(basket);
  CHECK(basket->items.empty());
  CHECK(shop.cluster.settle());
}

TEST_CASE("while the network is cut in two, each side has its own session; the heal leaves one") {
  Shop shop;
  shop.cluster.split({"a"}, {"b", "c"});
  REQUIRE(shop.cluster.settle());
  CHECK(shop.cluster.runs_on("s1").size() == 2);
  REQUIRE(shop.cluster.call<Basket>("a", "s1", Put{"tea"}));
  REQUIRE(shop.cluster.call<Basket>("b", "s1", Put{"milk"}));
  shop.cluster.heal();
  REQUIRE(shop.cluster.settle());
  CHECK(shop.cluster.runs_on("s1") == std::vector{shop.cluster.owner_of("s1")});
}

TEST_CASE("a session answers on a bad network too") {
  Shop shop;
  shop.cluster.faults("loss=0.05 delay_max=30ms duplicate=0.05");
  for (int i = 0; i < 20; ++i) CHECK(shop.cluster.call<Basket>("b", "s1", Put{std::to_string(i)}));
  CHECK(shop.cluster.worker<Session>("s1")->basket().items.size() == 20);  // each once
  CHECK(shop.cluster.check());
}
