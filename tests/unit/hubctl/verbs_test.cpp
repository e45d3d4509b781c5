#include <doctest/doctest.h>

#include "tools/hubctl/verbs.hpp"

namespace verbs_test {

using namespace processhub;
using namespace processhub::hubctl;

namespace {

/// The request that a command line makes, as [verb, args].
Json request_of(const std::vector<std::string>& arguments) {
  auto parsed = parse_command_line(arguments, verb_rules());
  REQUIRE_MESSAGE(parsed.ok(), parsed.error().message);
  auto request = verb_named(parsed->command->verb).request(*parsed->command);
  REQUIRE_MESSAGE(request.ok(), request.error().message);
  return Json::array({request->verb, request->args});
}

}  // namespace

TEST_CASE("each verb becomes the request that nodes document") {
  const std::vector<std::pair<std::vector<std::string>, const char*>> wanted = {
      {{"nodes"}, R"(["nodes", {"all": false}])"},
      {{"nodes", "--all"}, R"(["nodes", {"all": true}])"},
      {{"list", "--local"}, R"(["list", {"local": true}])"},
      {{"lookup", "c"}, R"(["lookup", {"id": "c"}])"},
      {{"tag", "t"}, R"(["tag", {"tag": "t"}])"},
      {{"dump"}, R"(["dump", {}])"},
      {{"status"}, R"(["status", {}])"},
      {{"digest"}, R"(["digest", {}])"},
      {{"moves"}, R"(["moves", {}])"},
      {{"start", "c", "--type", "t", "--rollback"},
       R"(["start", {"specs": [{"id": "c", "type": "t"}], "timeout_ms": 10000, "rollback": true}])"},
      {{"stop", "a", "b", "--timeout", "2s"}, R"(["stop", {"ids": ["a", "b"], "timeout_ms": 2000}])"},
      {{"stop", "--prefix", "p"}, R"(["stop", {"prefix": "p", "timeout_ms": 10000}])"},
      {{"stop", "--tag", "t"}, R"(["stop", {"tag": "t", "timeout_ms": 10000}])"},
      {{"call", "c", "add", R"({"by": 1})", "--timeout", "1s"},
       R"(["call", {"id": "c", "message": "add", "body": {"by": 1}, "timeout_ms": 1000}])"},
      {{"cast", "c", "get"}, R"(["cast", {"id": "c", "message": "get", "body": {}}])"},
      {{"metadata", "c", "a=1", "b=x=y"}, R"(["metadata", {"id": "c", "set": {"a": "1", "b": "x=y"}}])"},
      {{"metadata", "c"}, R"(["metadata", {"id": "c"}])"},
      {{"metadata", "c", "--clear"}, R"(["metadata", {"id": "c", "set": {}}])"},
  };
  for (const auto& [arguments, json] : wanted) CHECK(request_of(arguments) == Json::parse(json));
}

TEST_CASE("a request that no node could carry out is not made") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes = {
      {{"stop", "--prefix", ""}, "--prefix"},
      {{"stop", "--tag", ""}, "--tag"},
      {{"list", "--state", "dead"}, "waiting, starting"},
      {{"metadata", "c", "a=1", "--clear"}, "--clear"},
  };
  for (const auto& [arguments, named] : mistakes) {
    auto parsed = parse_command_line(arguments, verb_rules());
    REQUIRE_MESSAGE(parsed.ok(), parsed.error().message);
    auto request = verb_named(parsed->command->verb).request(*parsed->command);
    REQUIRE_FALSE(request.ok());
    CHECK_MESSAGE(request.error().message.find(named) != std::string::npos, request.error().message);
  }
}

TEST_CASE("list leaves out what its filters do not name") {
  const auto children = Json::parse(R"([
      {"id":"a","type":"t","instances":[{"node":"n1","state":"running"},{"node":"n2","state":"failed"}]},
      {"id":"b","type":"t","instances":[]},
      {"id":"c","type":"u","instances":[{"node":"n2","state":"running"}]}])");
  const auto ids = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "list");
    const auto parsed = parse_command_line(arguments, verb_rules());
    REQUIRE(parsed.ok());
    std::string out;
    for (const auto& child : verb_named("list").narrow(children, *parsed->command))
      out += child.at("id").get<std::string>();
    return out;
  };
  CHECK(ids({}) == "abc");
  CHECK(ids({"--type", "t"}) == "ab");
  CHECK(ids({"--node", "n2"}) == "ac");
  CHECK(ids({"--state", "running"}) == "ac");
  CHECK(ids({"--state", "waiting"}) == "b");
  CHECK(ids({"--node", "n2", "--state", "running"}) == "c");  // of one and the same instance
}

TEST_CASE("the table of verbs is complete and prints what it gets") {
  for (const auto& verb : verbs()) {
    CHECK_FALSE(verb.rule.summary.empty());
    CHECK((verb.request == nullptr && verb.run == nullptr) == (verb.print == nullptr));
  }
}

}  // namespace verbs_test
