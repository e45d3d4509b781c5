#include <doctest/doctest.h>

#include "tests/unit/runtime/hub_fixture.hpp"

namespace processhub::hub_test::hub_network_test {
namespace {

HubConfig on_loopback(std::string name, std::vector<std::string> seeds) {
  auto c = config();
  c.name = std::move(name);
  c.listen = "tcp://127.0.0.1:0";
  c.seeds = std::move(seeds);
  return c;
}

std::vector<ChildSpec> counters(int count) {
  std::vector<ChildSpec> specs;
  for (int i = 0; i < count; ++i) specs.push_back({.id = "c" + std::to_string(i), .type = "counter"});
  return specs;
}

/// The id of a child that runs on the other node.
std::string remote_child(Hub& here) {
  REQUIRE(*here.start_children(counters(40)).get());
  for (const auto& child : here.list()) {
    if (child.active() != nullptr && child.active()->ref.node != here.node()) return child.spec.id;
  }
  FAIL("all forty children run on one node");
  return {};
}

TEST_CASE("hub network: calls and casts reach a child on the other node, in order, and unknown ones say so") {
  auto a = start(on_loopback("a", {}));
  auto b = start(on_loopback("b", {a.endpoint()}));
  auto sees_two = [](const Hub& hub) {
    const auto nodes = hub.nodes();
    return nodes.size() == 2 && nodes[0].state == NodeState::up && nodes[1].state == NodeState::up;
  };
  REQUIRE(eventually([&] { return sees_two(a) && sees_two(b) && !a.is_locked(); }));
  const auto id = remote_child(a);
  CHECK(a.call<Total>(id, Get{}, 10s).get().value().total == 0);
  for (std::int64_t i = 0; i < 2'000; ++i) REQUIRE(a.cast(id, Order{i}));
  CHECK(a.call<Total>(id, Get{}, 10s).get().value().total == 0);
  const auto late = a.call<Total>(id, Never{}, 50ms).get();
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ErrorCode::timeout);
  CHECK(a.call<Total>("nobody", Get{}, 10s).get().error().code == ErrorCode::no_such_child);
  CHECK(eventually([&] { return a.status().digest == b.status().digest; }));
  CHECK(a.stop());
}

TEST_CASE("hub network: a node without a worker type owns none of its children") {
  auto a = start(on_loopback("a", {}));
  REQUIRE(*a.start_children(counters(20)).get());
  auto bare = Hub::start(on_loopback("bare", {a.endpoint()}), WorkerTypes{});
  REQUIRE(bare);
  REQUIRE(
      eventually([&] { return bare->nodes().size() == 2 && a.nodes().size() == 2 && !bare->is_locked(); }));
  const auto more = bare->start_child({.id = "c20", .type = "counter"}).get();
  REQUIRE(more);
  CHECK(more->nodes() == std::vector<std::string>{"a"});
  const auto nowhere = bare->start_child({.id = "x", .type = "unknown"}).get();
  REQUIRE(nowhere);
  CHECK(nowhere->errors().front().code == ErrorCode::start_failed);
  CHECK(eventually([&] { return a.list(Scope::local).size() == 21 && bare->list(Scope::local).empty(); }));
}

TEST_CASE(
    "hub network: two hubs on two nodes place by load, each its own children, and each outlives who "
    "balances") {
  const auto node = [](std::string hub, std::string name, std::vector<std::string> seeds) {
    auto c = on_loopback(std::move(name), std::move(seeds));
    c.hub_id = std::move(hub);
    c.distribution = {"load_balancer", {{"push_interval", "100ms"}}};
    return start(std::move(c));
  };
  auto shop = node("shop", "a", {});
  auto bank = node("bank", "a", {});
  auto shop_b = node("shop", "b", {shop.endpoint()});
  auto bank_b = node("bank", "b", {bank.endpoint()});
  for (auto* hub : {&shop, &bank, &shop_b, &bank_b})
    REQUIRE(eventually([&] { return hub->nodes().size() == 2 && !hub->is_locked(); }));
  // The same ids in both; a hub's count is its own.
  REQUIRE(*shop.start_children(counters(60)).get());
  REQUIRE(*bank_b.start_children(counters(20)).get());
  REQUIRE(eventually([&] { return shop_b.list().size() == 60 && bank.list().size() == 20; }));
  for (auto* hub : {&shop, &shop_b}) CHECK(hub->list(Scope::local).size() >= 10);
  for (auto* hub : {&bank, &bank_b}) CHECK(hub->list(Scope::local).size() >= 3);

  const auto of_bank = bank.list(Scope::local).size();
  shop.stop();  // the first of its hub: it balanced; the other hub's node of the same name goes on
  CHECK(eventually([&] { return shop_b.list(Scope::local).size() == 60; }));
  CHECK(bank.list(Scope::local).size() == of_bank);
  CHECK(*shop_b.start_child({.id = "more", .type = "counter"}).get());
  CHECK(*bank.start_child({.id = "more", .type = "counter"}).get());
}

TEST_CASE("hub network: ten thousand children of two nodes stop in one call, long before its deadline") {
  auto a = start(on_loopback("a", {}));
  auto b = start(on_loopback("b", {a.endpoint()}));
  REQUIRE(eventually([&] { return a.nodes().size() == 2 && b.nodes().size() == 2 && !a.is_locked(); }));
  std::vector<ChildSpec> specs;
  for (int i = 0; i < 10'000; ++i) specs.push_back({.id = "n-" + std::to_string(i), .type = "counter"});
  StartOptions patient;
  patient.timeout = 100s;
  REQUIRE(*a.start_children(std::move(specs), patient).get());
  // A confirmation that never comes would now be an error of every child.
  const auto stopped = a.stop_by_prefix("n-", {.timeout = 100s}).wait_for(90s);
  REQUIRE(stopped);
  CHECK(bool(**stopped));
}

TEST_CASE("hub network: a global event reaches every node once, and waits where the queue is locked") {
  auto a = start(on_loopback("a", {}));
  auto b = start(on_loopback("b", {a.endpoint()}));
  REQUIRE(eventually([&] { return a.nodes().size() == 2 && b.nodes().size() == 2 && !b.is_locked(); }));
  std::atomic<int> at_a{0};
  std::atomic<int> at_b{0};
  a.on_event("tick", [&](NodeId from, const Bytes&) { at_a += from == a.node() ? 1 : 100; });
  b.on_event("tick",
             [&](NodeId from, const Bytes& body) { at_b += from == a.node() && body == "now" ? 1 : 100; });
  const auto token = b.lock("not now", 10).get();
  REQUIRE(token);
  REQUIRE(a.dispatch("tick", "now", Scope::global));
  REQUIRE(a.dispatch("tick", "now", Scope::global, 10));  // passes b's lock
  CHECK(eventually([&] { return at_a == 2 && at_b == 1; }));
  CHECK(b.unlock(*token).get());
  CHECK(eventually([&] { return at_b == 2; }));
  CHECK(a.dispatch("tick", {}, Scope::global, -1).error().code == ErrorCode::invalid);
}

TEST_CASE(
    "hub network: a second life of a living node's name is refused, and answers stopped with the reason") {
  auto a = start(on_loopback("same", {}));
  start_counter(a, "c1");
  auto second = Hub::start(on_loopback("same", {a.endpoint()}), WorkerTypes{}.add<Counter>("counter"));
  REQUIRE(second);
  REQUIRE(eventually([&] { return !second->termination_reason().empty(); }));
  second->wait_for_signal();  // returns: the hub has ended
  const auto refused = second->start_child({.id = "c2", .type = "counter"}).get();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::stopped);
  CHECK(refused.error().message.find(second->termination_reason()) != std::string::npos);
  CHECK_FALSE(second->wait_joined(0ms));
  CHECK(a.call<Total>("c1", Get{}, 10s).get());
}

}  // namespace
}  // namespace processhub::hub_test::hub_network_test
