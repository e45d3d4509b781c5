// Topics on a network that loses: reliable ones arrive all the same, once and in order; of the others it is
// known how many are missing.
#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "processhub/processhub.hpp"
#include "processhub/testing.hpp"
#include "transport/sim/sim_cluster.hpp"

namespace topics_test {

using namespace processhub;
using namespace processhub::sim;
using namespace std::chrono_literals;
namespace event = processhub::protocol::event;
namespace effect = processhub::protocol::effect;

namespace {

/// What subscribers on each node were handed.
struct Heard final : ClusterObserver {
  std::map<std::string, std::vector<TopicMessage>> at{};
  void on_effect(const SimNode& node, const protocol::Effect& e) override {
    if (const auto* d = std::get_if<effect::TopicDelivery>(&e)) at[node.name()].push_back(*d->message);
  }
};

struct World {
  explicit World(std::uint64_t seed) : cluster({seed, {}, {}, {}, 1h}) {
    cluster.observe(heard);
    cluster.add_node("a", {"b", "c"});
    cluster.add_node("b", {"a", "c"});
    cluster.add_node("c", {"a", "b"});
    cluster.run_for(3s);
  }
  void subscribe(const std::string& node, const std::string& pattern) {
    cluster.node(node).submit(event::SubscribeTopic{protocol::SubscriberKind::program, 1, pattern});
  }
  void publish(const std::string& node, const std::string& topic, int number, bool reliable) {
    cluster.node(node).submit(event::PublishTopic{topic, "m", std::to_string(number), reliable});
  }
  void lossy() {
    auto& f = cluster.faults();
    f.loss = 0.02;
    f.pub_loss = 0.2;
    f.reorder = 0.02;
    f.duplicate = 0.02;
    f.delay_max = 3ms;
  }
  std::vector<TopicMessage> at(const std::string& node, bool reliable) {
    std::vector<TopicMessage> out;
    for (const auto& m : heard.at[node])
      if (m.reliable == reliable) out.push_back(m);
    return out;
  }

  Heard heard{};
  SimCluster cluster;
};

constexpr int kMessages = 300;

}  // namespace

TEST_CASE(
    "topics: reliable ones arrive once and in order on a network that loses a fifth of all publications") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    World world(seed);
    for (const char* node : {"a", "b", "c"}) world.subscribe(node, "orders.>");
    world.cluster.run_for(10ms);
    world.lossy();
    for (int i = 1; i <= kMessages; ++i) {
      world.publish("a", i % 2 == 0 ? "orders.eu" : "orders.us", i, true);
      if (i % 3 == 0) world.cluster.run_for(2ms);
    }
    world.cluster.run_for(5s);
    for (const char* node : {"a", "b", "c"}) {
      const auto got = world.at(node, true);
      REQUIRE(got.size() == kMessages);
      for (int i = 1; i <= kMessages; ++i) {
        const auto& m = got[static_cast<std::size_t>(i - 1)];
        CHECK(m.body == std::to_string(i));
        CHECK(m.missed == 0);
      }
    }
  }
}

TEST_CASE("topics: of those that may be lost, order is kept and every gap is counted") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    World world(seed);
    world.subscribe("a", "orders.*");
    world.subscribe("b", "orders.*");
    world.publish("a", "orders.x", 1, false);
    world.cluster.run_for(10ms);
    world.lossy();
    for (int i = 2; i <= kMessages; ++i) {
      world.publish("a", "orders.x", i, false);
      world.cluster.run_for(1ms);
    }
    world.cluster.faults() = {};
    world.publish("a", "orders.x", kMessages + 1, false);
    world.cluster.run_for(1s);
    CHECK(world.at("a", false).size() == kMessages + 1);  // here nothing is lost
    std::uint64_t accounted = 0;
    std::uint64_t last = 0;
    for (const auto& m : world.at("b", false)) {
      CHECK(m.number > last);
      last = m.number;
      accounted += 1 + m.missed;
    }
    CHECK(accounted == kMessages + 1);
    CHECK(world.at("b", false).size() < kMessages);
    CHECK(world.cluster.node("b").stats().topics_missed > 0);
  }
}

TEST_CASE(
    "topics: a node that comes later gets what is published from then on, one that was cut off catches up") {
  World world(3);
  for (const char* node : {"a", "b", "c"}) world.subscribe(node, "news.>");
  for (int i = 1; i <= 20; ++i) world.publish("a", "news.x", i, true);
  world.cluster.run_for(100ms);
  world.cluster.add_node("d", {"a"});
  world.cluster.run_for(2s);
  world.subscribe("d", "news.>");
  world.cluster.run_for(10ms);
  world.cluster.cut_both("a", "b");
  world.cluster.run_for(50ms);
  for (int i = 21; i <= 40; ++i) world.publish("a", "news.x", i, true);
  world.cluster.run_for(200ms);
  world.cluster.heal_all();
  world.cluster.run_for(20s);
  REQUIRE(world.at("d", true).size() == 20);
  CHECK(world.at("d", true).front().body == "21");
  REQUIRE(world.at("b", true).size() == 40);
  CHECK(world.at("b", true).back().body == "40");
  CHECK(world.at("c", true).size() == 40);
}

namespace {

struct Price {
  std::int64_t cents = 0;
  PROCESSHUB_FIELDS(cents)
};
struct Tell {
  PROCESSHUB_FIELDS()
};

class Watcher : public Worker {
 public:
  static void handlers(Handlers<Watcher>& h) { h.on<&Watcher::price>().on<&Watcher::tell>(); }
  void on_start(StartReason) override {
    ctx().subscribe("prices.*");
    ctx().subscribe("prices.>");
  }
  std::vector<std::string> seen{};

 private:
  void price(const Price& p) {
    seen.push_back((ctx().topic() ? ctx().topic()->topic : "cast") + " " + std::to_string(p.cents));
  }
  void tell(const Tell&) { ctx().publish("prices.tin", Price{7}); }
};

}  // namespace

TEST_CASE("topics: a worker gets what it subscribed to as a message, once, wherever it is published") {
  testing::ClusterOptions options;
  options.types.add<Watcher>("watcher");
  testing::Cluster cluster(std::move(options));
  cluster.add_nodes({"a", "b", "c"});
  REQUIRE(cluster.settle());
  std::vector<ChildSpec> specs(6);
  for (std::size_t i = 0; i < specs.size(); ++i) {
    specs[i].id = "w" + std::to_string(i);
    specs[i].type = "watcher";
  }
  REQUIRE(cluster.start("a", specs));
  cluster.run_for(100ms);
  REQUIRE(cluster.cast("b", "w0", Tell{}));
  cluster.run_for(100ms);
  REQUIRE(cluster.cast("b", "w1", Price{8}));
  cluster.run_for(100ms);
  const std::vector<std::string> told = {"prices.tin 7"};
  const std::vector<std::string> told_and_cast = {"prices.tin 7", "cast 8"};
  for (const auto& spec : specs) {
    CAPTURE(spec.id);
    const auto* watcher = cluster.worker<Watcher>(spec.id);
    REQUIRE(watcher != nullptr);
    CHECK(watcher->seen == (spec.id == "w1" ? told_and_cast : told));
  }
}

}  // namespace topics_test
