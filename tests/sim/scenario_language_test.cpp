// The scenario language itself, on a tiny core; what the product does is in tests/cases.
#include <doctest/doctest.h>

#include <string>

#include "tests/sim/tiny_core.hpp"
#include "transport/sim/scenario.hpp"
#include "transport/sim/scenario_words.hpp"

namespace scenario_language_test {

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
  CHECK(error("nodes a\nexpect peace\n").find("expect quiet, node, child or quorum") != std::string::npos);
  CHECK(error("nodes a\nclog a b 1s\n").find("'->' is missing") != std::string::npos);
  CHECK(error("nodes a\ndispatch x on a all\n").find("to all") != std::string::npos);
  CHECK(error("nodes a\nstart x on a type\n").find("'on NODE' is missing") != std::string::npos);
}

TEST_CASE("a scenario waits for a state, and says what it saw instead") {
  Scenario scenario(tiny_cores());
  CHECK(scenario.run("nodes a\nrun 1s\nstart x y:slow rollback timeout 2s on a\n"
                     "expect child x running within 1s\n"
                     "expect child y failed on a within 1s\n"
                     "expect child z gone\n"
                     "expect node a up within 1s\n"
                     "expect node b up within 1s\n"
                     "stop x y timeout 1s on a\n") ==
        "start x y on a: a: x y\n"
        "a sees child x running\n"
        "a sees child y running and not failed after 1s\n"
        "a sees child z gone\n"
        "a sees node a up\n"
        "a sees node b unknown and not up after 1s\n"
        "stop x y on a: stopped before it ran: x y\n");
}

TEST_CASE("options, types and static children count for the nodes that boot after them") {
  std::string seen;
  const auto inner = tiny_cores();
  Scenario scenario([&](const protocol::Identity& identity, const HubConfig& config) {
    seen += identity.self.str() + (identity.types ? " typed" : " all") + " " +
            std::to_string(config.static_children.size()) + " " + std::to_string(config.spec_copies) + " " +
            config.listen + "; ";
    return inner(identity, config);
  });
  scenario.run(
      "option spec_copies 1\nnodes a\noption spec_copies 3\ntypes counter\nstatic s1 s2 type slow\n"
      "node b host h name z life 7 seeds a\nstatic none\ntypes all\nnode c seeds a\nrestart c life 5\n");
  CHECK(seen ==
        "a/1 all 0 1 tcp://sim-a:7001; z/7 typed 2 3 tcp://sim-h:7001; c/1 all 0 3 tcp://sim-c:7001; "
        "c/5 all 0 3 tcp://sim-c:7001; ");
}

TEST_CASE("a long list of ids is counted") {
  std::vector<std::string> even;
  for (int i = 0; i < 50; i += 2) even.push_back("x" + std::to_string(i));
  CHECK(shorten(even) == "25 ids");
  CHECK(shorten(expand({"x1..x50"})) == "x1..x50");
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

}  // namespace scenario_language_test
