#include <doctest/doctest.h>

#include "tools/hubctl/verbs.hpp"

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
      {{"restart", "c"}, R"(["restart", {"id": "c"}])"},
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
  };
  for (const auto& [arguments, json] : wanted) CHECK(request_of(arguments) == Json::parse(json));
}

TEST_CASE("the table of verbs is complete and prints what it gets") {
  for (const auto& verb : verbs()) {
    CHECK_FALSE(verb.rule.summary.empty());
    CHECK((verb.request == nullptr) == (verb.print == nullptr));
  }
}
