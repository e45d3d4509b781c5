#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "processhub/config.hpp"
#include "tests/unit/config/temporary_file.hpp"

namespace command_line_test {

using namespace processhub;
using namespace std::chrono_literals;
using config_test::TemporaryFile;

namespace {

Result<NodeConfig> parse(std::vector<std::string> flags) {
  std::vector<const char*> argv{"hubd"};
  for (const auto& flag : flags) argv.push_back(flag.c_str());
  return NodeConfig::from_command_line(static_cast<int>(argv.size()), argv.data());
}

NodeConfig parsed(std::vector<std::string> flags) {
  auto node = parse(std::move(flags));
  REQUIRE_MESSAGE(node.ok(), node.error().message);
  return *node;
}

std::string error_of(std::vector<std::string> flags) {
  const auto node = parse(std::move(flags));
  return node.ok() ? "no error" : node.error().message;
}

constexpr std::string_view kTwoHubs =
    "[hub.a]\nlisten = tcp://127.0.0.1:1\nseed = tcp://127.0.0.1:9\n[hub.b]\nweight = 2\n";

}  // namespace

TEST_CASE("flags alone describe a node with one hub") {
  const auto node =
      parsed({"--name", "n1", "--hub.id=shop", "--listen", "tcp://127.0.0.1:0", "--seed=tcp://10.0.0.1:1",
              "--seed", "tcp://10.0.0.2:2", "--plugin", "./a.so", "--plugin=./b.so", "--suspect_after=2s",
              "--distribution.opt=value", "--weight", "0.5"});
  CHECK(node.name == "n1");
  CHECK(node.plugins == std::vector<std::string>{"./a.so", "./b.so"});
  REQUIRE(node.hubs.size() == 1);
  const auto& hub = node.hubs[0];
  CHECK(hub.name == "n1");
  CHECK(hub.hub_id == "shop");
  CHECK(hub.listen == "tcp://127.0.0.1:0");
  CHECK(hub.seeds == std::vector<std::string>{"tcp://10.0.0.1:1", "tcp://10.0.0.2:2"});
  CHECK(hub.suspect_after == 2s);
  CHECK(hub.weight == 0.5);
  CHECK(hub.distribution == StrategyChoice{"rendezvous", {{"opt", "value"}}});
}

TEST_CASE("flags win over the file, and lists in flags replace the file's") {
  const TemporaryFile file(
      "name = n\nplugin = ./x.so\nlisten = tcp://127.0.0.1:1\nseed = tcp://127.0.0.1:2\nzone = "
      "z\n[child.c]\ntype = t\n");
  const auto node = parsed({"--config", file.path(), "--name=m", "--listen=tcp://127.0.0.1:5",
                            "--seed=tcp://127.0.0.1:6", "--plugin=./y.so"});
  CHECK(node.name == "m");
  CHECK(node.plugins == std::vector<std::string>{"./y.so"});
  const auto& hub = node.hubs.at(0);
  CHECK(hub.name == "m");
  CHECK(hub.listen == "tcp://127.0.0.1:5");
  CHECK(hub.seeds == std::vector<std::string>{"tcp://127.0.0.1:6"});
  CHECK(hub.zone == "z");
  CHECK(hub.static_children.size() == 1);
}

TEST_CASE("a flag can repair what the file alone would be refused for") {
  const TemporaryFile file("listen = tcp://10.0.0.1:1\n");
  CHECK_FALSE(parse({"--config", file.path()}).ok());
  CHECK(parse({"--config", file.path(), "--insecure=true"}).ok());
}

TEST_CASE("with several hubs a flag names its hub") {
  const TemporaryFile file(kTwoHubs);
  const auto node =
      parsed({"--config=" + file.path(), "--hub.b.listen=tcp://127.0.0.1:7", "--hub.b.seed=tcp://127.0.0.1:8",
              "--hub.b.seed=tcp://127.0.0.1:9", "--hub.b.migration.k=v", "--name=n"});
  CHECK(node.hubs.at(0).listen == "tcp://127.0.0.1:1");
  CHECK(node.hubs.at(1).listen == "tcp://127.0.0.1:7");
  CHECK(node.hubs.at(1).seeds.size() == 2);
  CHECK(node.hubs.at(1).migration.options.at("k") == "v");
  CHECK(node.hubs.at(1).weight == 2);
  CHECK(error_of({"--config=" + file.path(), "--listen=tcp://127.0.0.1:7"}) ==
        "--listen: the file has several hubs; write --hub.ID.listen");
  CHECK(error_of({"--config=" + file.path(), "--hub.c.listen=tcp://127.0.0.1:7"}) ==
        "--hub.c.listen: unknown option; there is no such hub");
  CHECK(error_of({"--config=" + file.path(), "--hub.b.weight=1", "--hub.b.weight=2"}) ==
        "--hub.b.weight: this option comes twice");
  CHECK(error_of({"--config=" + file.path(), "--hub.b.wieght=1"}) ==
        "--hub.b.wieght: unknown option; did you mean 'weight'?");
}

TEST_CASE("wrong flags fail with the flag, what was expected and the nearest name") {
  CHECK(error_of({"--lisen=x"}) == "--lisen: unknown option; did you mean '--listen'?");
  CHECK(error_of({"--lis=tcp://127.0.0.1:1"}) == "--lis: unknown option");
  CHECK(error_of({"--suspect-after=2s"}) ==
        "--suspect-after: unknown option; did you mean '--suspect_after'?");
  CHECK(error_of({"--LISTEN=tcp://127.0.0.1:1"}).find("--LISTEN: unknown option") == 0);
  CHECK(error_of({"--listen"}) == "--listen: the required argument for option '--listen' is missing");
  CHECK(error_of({"--name", "--listen=tcp://127.0.0.1:1"}) ==
        "--name: expected a value, not the flag '--listen=tcp://127.0.0.1:1'");
  CHECK(error_of({"--name=a", "--name=b"}) == "--name: this option comes twice");
  CHECK(error_of({"node.ini"}) == "unexpected argument 'node.ini': a flag is --name=value or --name value");
  CHECK(error_of({"-l", "x"}) == "unexpected argument '-l': a flag is --name=value or --name value");
  CHECK(error_of({"--name="}).find("--name: ") == 0);
  CHECK(error_of({"--weight=x"}) == "--weight: expected a number such as 1 or 0.5, not 'x'");
  CHECK(error_of({"--seed=tcp://127.0.0.1:1", "--seed=tcp://127.0.0.1:0"}) ==
        "--seed: expected a port from 1 to 65535, not 0");
  CHECK(error_of({"--config=/no/such.ini"}) ==
        "/no/such.ini: the configuration cannot be read: No such file or directory");
}

TEST_CASE("validate names the option for a configuration built in code") {
  HubConfig config;
  config.heartbeat_interval = 0ms;
  CHECK(config.validate().error().message == "heartbeat_interval: expected at least 1ms, not '0ms'");
  config = {};
  config.listen = "tcp://192.168.1.1:0";
  CHECK(config.validate().error().message.find("listen: 'tcp://192.168.1.1:0' can be reached") == 0);
  config = {};
  config.migration.name.clear();
  CHECK(config.validate().error().message == "migration: expected the name of a strategy, not nothing");
  config = {};
  config.static_children = {ChildSpec{.id = "a", .type = "t"}, ChildSpec{.id = "a", .type = "t"}};
  CHECK(config.validate().error().message == "child: there are two children with the id 'a'");
  config = {};
  config.name = "with space";
  CHECK(config.validate().error().message.find("name: expected a name") == 0);
}

}  // namespace command_line_test
