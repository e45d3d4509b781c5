// The scenario language itself, on a tiny core; what the product does is in tests/cases.
#include <doctest/doctest.h>

#include <string>

#include "tests/sim/tiny_core.hpp"
#include "transport/sim/scenario.hpp"
#include "transport/sim/scenario_words.hpp"

using namespace processhub;
using namespace processhub::sim;

TEST_CASE("a scenario's commands act and their answers are printed") {
  Scenario scenario(tiny_cores());
  CHECK(scenario.run("# one node\n"
                     "nodes a\n"
                     "run 1s\n"
                     "start x1..x3 y on a\n"
                     "call x1 add 5 on a   # waits for the answer\n"
                     "show children\n"
                     "expect quiet\n") ==
        "start x1..x3 y on a: a: x1..x3 y\n"
        "call x1 on a: 5\n"
        "children as a sees them: 4\n"
        "  a/1: x1 x2 x3 y\n"
        "quiet\n");
}

TEST_CASE("a broken promise is printed where it happens") {
  Scenario scenario(tiny_cores(Bug::answers_twice));
  const auto out = scenario.run("nodes a\nstart x on a\nrun 1s\n");
  CHECK(out.find("VIOLATION of I6") != std::string::npos);
}

TEST_CASE("a wrong command is an error with its line") {
  const auto error = [](const std::string& commands) {
    try {
      Scenario(tiny_cores()).run(commands);
    } catch (const ScenarioError& e) {
      return std::string(e.what());
    }
    return std::string("none");
  };
  CHECK(error("nodes a\nfly a\n") == "line 2 'fly a': unknown command");
  CHECK(error("crash z\n") == "line 1 'crash z': there is no node 'z'");
  CHECK(error("run soon\n").find("no duration") != std::string::npos);
  CHECK(error("nodes a\nheal a - a now\n") == "line 2 'heal a - a now': what is 'now'?");
  CHECK(error("fault los 0.1\n").find("unknown fault option") != std::string::npos);
  CHECK(error("option spec_copys 1\n").find("unknown option") != std::string::npos);
  CHECK(error("nodes a\nstart x on a type\n").find("'on NODE' is missing") != std::string::npos);
}

TEST_CASE("ranges of ids are expanded and shortened") {
  CHECK(expand({"a", "x8..x11"}) == std::vector<std::string>{"a", "x8", "x9", "x10", "x11"});
  CHECK(shorten({"x10", "x9", "x8", "y", "x1", "x2"}) == "x1 x2 x8..x10 y");
  CHECK_THROWS_AS(expand({"x5..x1"}), std::invalid_argument);
  CHECK_THROWS_AS(expand({"x1..y2"}), std::invalid_argument);
}

TEST_CASE("a scenario file is cut at its line of dashes") {
  const auto text = split_scenario("nodes a\n----\nout\n");
  CHECK(text.commands == "nodes a\n");
  CHECK(text.expected == "out\n");
  CHECK(split_scenario("nodes a\n").expected.empty());
}
