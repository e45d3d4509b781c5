#include <doctest/doctest.h>

#include "tools/hubctl/command_line.hpp"
#include "tools/hubctl/verbs.hpp"

namespace command_line_test {

using namespace processhub;
using namespace processhub::hubctl;
using namespace std::chrono_literals;

namespace {

using Words = std::vector<std::string>;

Result<Parsed> parse(const Words& arguments) { return parse_command_line(arguments, verb_rules()); }

Command command(const Words& arguments) {
  auto parsed = parse(arguments);
  REQUIRE_MESSAGE(parsed.ok(), parsed.error().message);
  REQUIRE(parsed->command.has_value());
  return *parsed->command;
}

}  // namespace

TEST_CASE("global options may stand before and after the verb") {
  auto before = command({"--connect", "tcp://a:1,tcp://b:2", "--json", "list", "--local"});
  auto after = command({"list", "--local", "--connect=tcp://a:1", "--connect", "tcp://b:2", "--json"});
  for (const auto& c : {before, after}) {
    CHECK(c.verb == "list");
    CHECK(c.endpoints == Words{"tcp://a:1", "tcp://b:2"});
    CHECK(c.json);
    CHECK(c.has("local"));
  }
}

TEST_CASE("the value of a global option is never taken for the verb") {
  CHECK(command({"--timeout", "5s", "--connect", "tcp://a:1", "nodes"}).verb == "nodes");
}

TEST_CASE("words keep their order and JSON stays one word") {
  auto c = command({"call", "c-1", "add", R"({"by": -1})", "--timeout", "250ms"});
  CHECK(c.words == Words{"c-1", "add", R"({"by": -1})"});
  CHECK(c.timeout == 250ms);
}

TEST_CASE("option names are not guessed from their beginning") {
  CHECK_FALSE(parse({"list", "--loc"}).ok());
  CHECK_FALSE(parse({"nodes", "--conn", "tcp://a:1"}).ok());
}

TEST_CASE("an option of another verb is a mistake") {
  CHECK_FALSE(parse({"nodes", "--type", "counter"}).ok());
}

TEST_CASE("help is a text, of the whole or of the verb") {
  CHECK(parse({"--help"})->text.find("Exit codes") != std::string::npos);
  CHECK(parse({"start", "--help"})->text.find("--count") != std::string::npos);
  CHECK_FALSE(parse({"nothing", "--help"}).ok());
  CHECK(parse({"-h"})->text == parse({"--help"})->text);
  CHECK(parse({"start", "-h"})->text.find("Example: hubctl start") != std::string::npos);
}

TEST_CASE("a mistake is told in one line that names it") {
  const std::vector<std::pair<Words, std::string>> mistakes = {
      {{"nodes", "extra"}, "nodes takes no words, and 'extra' is too much"},
      {{"lookup"}, "lookup needs: ID"},
      {{"lookup", ""}, "lookup: an argument is empty"},
      {{"nodes", "--connect", "tcp://127.0.0.1"}, "the port is missing"},
      {{"nodes", "--connect", "tcp://127.0.0.1:99999"}, "the port must be"},
      {{"nodes", "--server-key", "c.pub"}, "--server-key needs --key"},
  };
  for (const auto& [arguments, named] : mistakes) {
    auto parsed = parse(arguments);
    REQUIRE_FALSE(parsed.ok());
    CHECK_MESSAGE(parsed.error().message.find(named) != std::string::npos, parsed.error().message);
  }
}

TEST_CASE("a time has a unit or is in seconds") {
  CHECK(*parse_duration("3") == 3s);
  CHECK(*parse_duration("250ms") == 250ms);
  CHECK(*parse_duration("5s") == 5s);
  CHECK(*parse_duration("2m") == 2min);
  for (const char* wrong : {"", "s", "-5s", "5 s", "1.5s", "5h", "99999999999999999999", "100000000m"}) {
    CHECK_FALSE_MESSAGE(parse_duration(wrong).ok(), wrong);
  }
}

}  // namespace command_line_test
