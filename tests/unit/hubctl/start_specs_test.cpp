#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tools/hubctl/start_specs.hpp"

namespace start_specs_test {

using namespace processhub;
using namespace processhub::hubctl;

namespace {

Command start(std::vector<std::string> words, std::map<std::string, std::string> options) {
  Command c;
  c.verb = "start";
  c.words = std::move(words);
  c.options = std::move(options);
  return c;
}

/// The specs that a file with this text gives.
Result<Json> from_text(const std::string& text) {
  auto pattern = (std::filesystem::temp_directory_path() / "specs-XXXXXX").string();
  const int fd = ::mkstemp(pattern.data());
  REQUIRE(fd >= 0);
  std::ofstream(pattern) << text;
  auto specs = specs_of(start({}, {{"file", pattern}}));
  std::filesystem::remove(pattern);
  return specs;
}

}  // namespace

TEST_CASE("one child takes its fields from the options") {
  auto specs = specs_of(start({"c"}, {{"type", "counter"}, {"args", R"({"start":5})"}, {"tag", "t"}}));
  REQUIRE(specs.ok());
  CHECK(*specs == Json::parse(R"([{"id":"c","type":"counter","args":{"start":5},"tag":"t"}])"));
}

TEST_CASE("a count numbers the children from 0") {
  auto specs = specs_of(start({"p"}, {{"type", "counter"}, {"count", "2"}}));
  REQUIRE(specs.ok());
  CHECK(*specs == Json::parse(R"([{"id":"p-0","type":"counter"},{"id":"p-1","type":"counter"}])"));
}

TEST_CASE("a file gives one spec per line, blank lines aside, with times in milliseconds") {
  auto specs = from_text(
      "{\"id\":\"a\",\"type\":\"t\",\"shutdown_timeout\":\"2s\"}\n\n{\"id\":\"b\",\"type\":\"t\",\"args\":[1]"
      "}\n");
  REQUIRE(specs.ok());
  CHECK(*specs ==
        Json::parse(R"([{"id":"a","type":"t","shutdown_timeout":2000},{"id":"b","type":"t","args":[1]}])"));
}

TEST_CASE("a mistake in a file is named by its line and key") {
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"{\"id\":\"a\",\"type\":\"t\"}\n{", ":2"},
      {"[]", ":1"},
      {"{\"id\":\"a\"}", "'type'"},
      {"{\"id\":1,\"type\":\"t\"}", "id must be"},
      {"{\"id\":\"a\",\"type\":\"t\",\"colour\":1}", "'colour'"},
      {"{\"id\":\"a\",\"type\":\"t\",\"metadata\":{\"k\":1}}", "metadata must be"},
      {"{\"id\":\"a\",\"type\":\"t\",\"max_seconds\":\"soon\"}", "max_seconds must be"},
      {"{\"id\":\"a b\",\"type\":\"t\"}", ":1: id 'a b'"},
      {"{\"id\":\"a\",\"type\":\"t\",\"restart\":\"often\"}", "permanent, transient or temporary"},
      {"\n", "no specs"},
  };
  for (const auto& [text, named] : mistakes) {
    auto specs = from_text(text);
    REQUIRE_FALSE(specs.ok());
    CHECK(specs.error().code == ErrorCode::invalid);
    CHECK_MESSAGE(specs.error().message.find(named) != std::string::npos, specs.error().message);
  }
}

TEST_CASE("options that exclude each other are refused") {
  CHECK_FALSE(specs_of(start({}, {{"type", "t"}})).ok());
  CHECK_FALSE(specs_of(start({"c"}, {})).ok());
  CHECK_FALSE(specs_of(start({"c"}, {{"file", "f"}})).ok());
  CHECK_FALSE(specs_of(start({}, {{"file", "f"}, {"type", "t"}})).ok());
  CHECK_FALSE(specs_of(start({"c"}, {{"type", "t"}, {"args", "{"}})).ok());
}

TEST_CASE("what every node would refuse is refused before anything is sent") {
  const std::string long_id(255, 'x');
  CHECK(specs_of(start({long_id}, {{"type", "t"}})).ok());
  CHECK_FALSE(specs_of(start({long_id + "x"}, {{"type", "t"}})).ok());
  CHECK(specs_of(start({long_id.substr(2)}, {{"type", "t"}, {"count", "10"}})).ok());
  CHECK_FALSE(specs_of(start({long_id.substr(2)}, {{"type", "t"}, {"count", "11"}})).ok());
  CHECK_FALSE(specs_of(start({"a b"}, {{"type", "t"}})).ok());
  CHECK_FALSE(specs_of(start({"c"}, {{"type", "t"}, {"restart", "sometimes"}})).ok());
  CHECK_FALSE(specs_of(start({"c"}, {{"type", "t"}, {"executor", "foo"}})).ok());
  CHECK_FALSE(specs_of(start({"c"}, {{"type", "t"}, {"count", "0"}})).ok());
}

}  // namespace start_specs_test
