// The table of options: complete, printable, readable.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "core/config/describe.hpp"
#include "core/config/option_table.hpp"
#include "core/config/values.hpp"
#include "processhub/config.hpp"
#include "tests/unit/config/temporary_file.hpp"

namespace options_test {

using namespace processhub;
using config_test::TemporaryFile;

namespace {

constexpr const char* kGolden = PH_SOURCE_DIR "/tests/unit/config/options.golden";

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A value other than the default that the option's own check accepts.
std::string other_value(const config::Option& option) {
  using config::Unit;
  switch (option.unit) {
    case Unit::address:
      return "tcp://127.0.0.1:4711";
    case Unit::choice:
      return std::string(option.choices.substr(0, option.choices.find(' '))) == "reject" ? "block" : "debug";
    case Unit::number:
      return "2.5";
    case Unit::count:
      return "77";
    case Unit::bytes:
      return "3MiB";
    case Unit::duration:
      return "777ms";
    case Unit::flag:
      return "true";
    case Unit::log_levels:
      return "warn,links=debug";
    default:
      return "something";
  }
}

/// Lines of other options without which the option's other value is refused.
std::string what_it_demands(const config::Option& option) {
  const std::vector<std::pair<std::string, std::string>> lines = {{"listen", "tcp://127.0.0.1:0"},
                                                                  {"suspect_after", "60s"},
                                                                  {"restart_backoff_max", "60s"},
                                                                  {"heartbeat_interval", "10ms"}};
  std::string text;
  for (const auto& [key, value] : lines) {
    if (key != option.name) text += key + " = " + value + "\n";
  }
  if (option.name == "server_key_file" || option.name == "allow_dir") text += "secret_key_file = x\n";
  if (option.name == "server_key_file") text += "allow_dir = x\n";
  return text;
}

}  // namespace

TEST_CASE("the listing of all options is the one in options.golden (PH_REWRITE_GOLDEN=1 writes it anew)") {
  const auto now = NodeConfig::describe_options();
  if (std::getenv("PH_REWRITE_GOLDEN")) std::ofstream(kGolden) << now;
  CHECK(read(kGolden) == now);
}

TEST_CASE("the listing is itself a file, and reading it gives the defaults") {
  const TemporaryFile file(NodeConfig::describe_options());
  const auto node = NodeConfig::from_file(file.path());
  REQUIRE_MESSAGE(node.ok(), node.error().message);
  REQUIRE(node->hubs.size() == 1);
  const HubConfig defaults;
  for (const auto& option : config::hub_options()) {
    CAPTURE(option.name);
    CHECK(config::option_values(node->hubs.front(), option) == config::option_values(defaults, option));
  }
}

TEST_CASE("the default configuration is valid") { CHECK(HubConfig{}.validate().ok()); }

TEST_CASE("option names are unique and lower case, each has a meaning") {
  std::set<std::string_view> names;
  for (const auto& option : config::hub_options()) {
    CAPTURE(option.name);
    CHECK(names.insert(option.name).second);
    CHECK(option.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_.") == std::string_view::npos);
    CHECK_FALSE(option.help.empty());
    CHECK_FALSE(config::unit_text(option).empty());
  }
}

TEST_CASE("every option can be set, reads back as written and changes no other") {
  const HubConfig defaults;
  for (const auto& option : config::hub_options()) {
    CAPTURE(option.name);
    HubConfig changed;
    const auto value = other_value(option);
    REQUIRE(config::set_option(changed, option, {value}).ok());
    CHECK(config::option_values(changed, option) == std::vector{value});
    for (const auto& other : config::hub_options()) {
      if (other.name != option.name) {
        CHECK(config::option_values(changed, other) == config::option_values(defaults, other));
      }
    }
  }
}

TEST_CASE("every option works from a file and as a flag alike") {
  for (const auto& option : config::hub_options()) {
    CAPTURE(option.name);
    const auto value = other_value(option);
    const auto file_key = option.name == config::kHubId ? "[hub]\nid" : std::string(option.name);
    const TemporaryFile file(what_it_demands(option) + file_key + " = " + value + "\n");
    const auto node = NodeConfig::from_file(file.path());
    REQUIRE_MESSAGE(node.ok(), node.error().message);
    CHECK(config::option_values(node->hubs.front(), option) == std::vector{value});

    const TemporaryFile base(what_it_demands(option));
    const auto flag = "--" + std::string(option.name) + "=" + value;
    const char* argv[] = {"hubd", "--config", base.path().c_str(), flag.c_str()};
    const auto flags = NodeConfig::from_command_line(4, argv);
    REQUIRE_MESSAGE(flags.ok(), flags.error().message);
    CHECK(config::option_values(flags->hubs.front(), option) == std::vector{value});
  }
}

TEST_CASE("a configuration describes itself as a file that gives the same configuration") {
  const std::string several =
      "name = a\nplugin = ./x.so\nplugin = /y.so\n"
      "[hub.one]\nlisten = tcp://127.0.0.1:7001\nseed = tcp://127.0.0.1:7002\nseed = tcp://127.0.0.1:7003\n"
      "[hub.one.distribution]\nvnodes = 7\n"
      "[hub.one.child.till]\ntype = counter\nargs = {\"start\":5}\nmetadata.owner = ops\nmax_seconds = 2s\n"
      "[hub.two]\nlog_level = debug\n[hub.two.children.shelf]\ntype = counter\ncount = 2\ntag = t\n";
  const std::string one = "listen = tcp://127.0.0.1:0\n[hub]\nid = shop\n[child.till]\ntype = counter\n";
  for (const auto& text : {several, one}) {
    TemporaryFile file(text);
    const auto config = NodeConfig::from_file(file.path());
    REQUIRE_MESSAGE(config.ok(), config.error().message);
    const auto described = config::describe(*config);
    TemporaryFile again(described);
    const auto same = NodeConfig::from_file(again.path());
    REQUIRE_MESSAGE(same.ok(), same.error().message);
    CHECK(config::describe(*same) == described);
    CHECK(described.find("listen = tcp://127.0.0.1:") != std::string::npos);
    CHECK(described.find("type = counter\n") != std::string::npos);
  }
}

}  // namespace options_test
