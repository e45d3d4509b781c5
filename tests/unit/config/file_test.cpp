// Node files that are right.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "processhub/config.hpp"
#include "tests/unit/config/temporary_file.hpp"

namespace file_test {

using namespace processhub;
using namespace std::chrono_literals;
using config_test::TemporaryFile;

namespace {

NodeConfig load(std::string_view text) {
  const TemporaryFile file(text);
  auto node = NodeConfig::from_file(file.path());
  REQUIRE_MESSAGE(node.ok(), node.error().message);
  return *node;
}

constexpr std::string_view kTwoHubs = R"(name   = node-a
plugin = ./libshop.so

[hub.orders]
listen              = tcp://127.0.0.1:7001
seed                = tcp://127.0.0.1:7101
seed                = tcp://127.0.0.1:7201
distribution        = rendezvous
redundancy          = replication
migration           = hot_swap
partition_tolerance = majority_quorum
[hub.orders.redundancy]
factor = 3
model  = active_passive
[hub.orders.child.audit.main]
type = audit
args = {"channel": "ops"}

[hub.prices]
listen          = tcp://127.0.0.1:7002
synchronization = gossip
[hub.prices.children.shard]
type  = counter
count = 64
)";

}  // namespace

TEST_CASE("the text of a file is read like the file") {
  const auto config = HubConfig::from_text("listen = tcp://127.0.0.1:7001\n[hub]\nid = shop\n");
  REQUIRE_MESSAGE(config.ok(), config.error().message);
  CHECK(config->hub_id == "shop");
  const auto wrong = HubConfig::from_text("[hub]\nid = shop\nlisen = x\n");
  REQUIRE(!wrong.ok());
  CHECK(wrong.error().message.starts_with("text:3: lisen"));
}

TEST_CASE("the node file with two hubs of the guide reads as it stands") {
  const auto node = load(kTwoHubs);
  CHECK(node.name == "node-a");
  CHECK(node.plugins == std::vector<std::string>{"./libshop.so"});
  REQUIRE(node.hubs.size() == 2);

  const auto& orders = node.hubs[0];
  CHECK(orders.hub_id == "orders");
  CHECK(orders.name == "node-a");
  CHECK(orders.listen == "tcp://127.0.0.1:7001");
  CHECK(orders.seeds == std::vector<std::string>{"tcp://127.0.0.1:7101", "tcp://127.0.0.1:7201"});
  CHECK(orders.redundancy == StrategyChoice{"replication", {{"factor", "3"}, {"model", "active_passive"}}});
  CHECK(orders.migration == StrategyChoice{"hot_swap", {}});
  CHECK(orders.partition_tolerance.name == "majority_quorum");
  CHECK(orders.synchronization.name == "pubsub");
  REQUIRE(orders.static_children.size() == 1);
  CHECK(orders.static_children[0].id == "audit.main");
  CHECK(orders.static_children[0].type == "audit");
  CHECK(orders.static_children[0].args.bytes() ==
        "\x81\xa7"
        "channel\xa3ops");

  const auto& prices = node.hubs[1];
  CHECK(prices.hub_id == "prices");
  CHECK(prices.name == "node-a");
  CHECK(prices.synchronization.name == "gossip");
  REQUIRE(prices.static_children.size() == 64);
  CHECK(prices.static_children.front().id == "shard-0");
  CHECK(prices.static_children.back().id == "shard-63");
  CHECK(prices.static_children.back().type == "counter");
}

TEST_CASE("a file with one hub has its options at the top, its id in [hub] and its children beside") {
  const auto node = load(R"(# a comment
name = n1
listen = tcp://127.0.0.1:0
seed=tcp://10.0.0.1:7001
heartbeat_interval = 50ms
suspect_after = 2s
max_message_size = 1MiB
weight = 0.5
role = big
role = fast

[distribution]
anything = the strategy's own business
[hub]
  id = shop
[child.a.b]
type = counter
restart = transient
executor = dedicated
tag = t
max_restarts = 2
max_seconds = 3s
shutdown_timeout = 250ms
metadata.owner = alice
metadata.path = a = b
)");
  REQUIRE(node.hubs.size() == 1);
  const auto& hub = node.hubs[0];
  CHECK(hub.hub_id == "shop");
  CHECK(hub.heartbeat_interval == 50ms);
  CHECK(hub.suspect_after == 2s);
  CHECK(hub.max_message_size == 1U << 20);
  CHECK(hub.weight == 0.5);
  CHECK(hub.roles == std::vector<std::string>{"big", "fast"});
  CHECK(hub.distribution == StrategyChoice{"rendezvous", {{"anything", "the strategy's own business"}}});
  REQUIRE(hub.static_children.size() == 1);
  const auto& child = hub.static_children[0];
  CHECK(child.id == "a.b");
  CHECK(child.restart == Restart::transient);
  CHECK(child.executor == Executor::dedicated);
  CHECK(child.tag == "t");
  CHECK(child.max_restarts == 2);
  CHECK(child.max_seconds == 3s);
  CHECK(child.shutdown_timeout == 250ms);
  CHECK(child.metadata == Metadata{{"owner", "alice"}, {"path", "a = b"}});
}

TEST_CASE("sections of a hub may stand before it and apart from it") {
  const auto node = load(
      "[hub.a.child.x]\ntype = t\n[hub.b]\nlisten = tcp://127.0.0.1:0\n[hub.a]\nweight = "
      "2\n[hub.a.migration]\nk = v\n");
  REQUIRE(node.hubs.size() == 2);
  CHECK(node.hubs[0].hub_id == "b");
  CHECK(node.hubs[1].hub_id == "a");
  CHECK(node.hubs[1].static_children.size() == 1);
  CHECK(node.hubs[1].migration.options.at("k") == "v");
}

TEST_CASE("an empty file is one hub with all defaults, and Windows line ends do no harm") {
  CHECK(load("").hubs.at(0).hub_id == "default");
  CHECK(load("name = a\r\n[hub]\r\nid = b\r\n").hubs.at(0).hub_id == "b");
}

TEST_CASE("a secured hub may listen everywhere if it says what to advertise") {
  const auto node = load(
      "listen = tcp://0.0.0.0:7001\nadvertise = tcp://10.1.1.1:7001\nsecret_key_file = k\nallow_dir = d\n");
  CHECK(node.hubs.at(0).security.allow_dir == "d");
  CHECK(load("listen = tcp://10.1.1.1:7001\ninsecure = true\n").hubs.at(0).security.insecure);
}

TEST_CASE("HubConfig::from_file takes a file with one hub and without plugins") {
  const TemporaryFile one("name = n\n[hub.x]\nweight = 3\n");
  CHECK(HubConfig::from_file(one.path()).value().hub_id == "x");
  CHECK(HubConfig::from_file(one.path()).value().name == "n");
  const TemporaryFile two("[hub.x]\nweight = 3\n[hub.y]\nweight = 3\n");
  CHECK(HubConfig::from_file(two.path()).error().message == two.path() + ": expected one hub, not 2");
  const TemporaryFile plugin("plugin = ./x.so\n");
  CHECK(HubConfig::from_file(plugin.path()).error().message.find("plugin: hubd loads plugins") !=
        std::string::npos);
}

TEST_CASE("every configuration file of the examples reads") {
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(PH_SOURCE_DIR "/examples")) {
    if (entry.path().extension() != ".ini") continue;
    CAPTURE(entry.path().string());
    const auto node = NodeConfig::from_file(entry.path().string());
    CHECK_MESSAGE(node.ok(), node.error().message);
    ++files;
  }
  CHECK(files > 0);
}

}  // namespace file_test
