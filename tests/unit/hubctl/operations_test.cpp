#include "tools/hubctl/operations.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tools/hubctl/verbs.hpp"

namespace operations_test {

using namespace processhub::hubctl;

namespace {

NodeLook node(const std::string& name, const std::string& digest) {
  NodeLook look;
  look.name = name;
  look.state = "up";
  look.answers = {Json{{"joined", true}, {"partitioned", false}, {"digest", digest}},
                  Json{{"agreed", true}, {"settled", true}, {"moves", Json::array()}}};
  return look;
}

ClusterLook two() { return {{node("a", "1"), node("b", "1")}, {}}; }

bool says(const ClusterLook& look, const std::string& text) {
  return unstable_because(look).find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("operations: a cluster is stable when all agree and nothing moves, and else it is said why") {
  CHECK(unstable_because(two()).empty());
  auto look = two();
  look.nodes[1].error = "no answer in time";
  CHECK(says(look, "b does not answer"));
  look.nodes[1].state = "down";  // who is gone is not waited for
  CHECK(unstable_because(look).empty());
  look = two();
  look.nodes[1].answers[0]["digest"] = "2";
  CHECK(says(look, "the registry of b differs"));
  look = two();
  look.nodes[0].answers[1]["moves"] = Json::array({Json::object()});
  CHECK(says(look, "on their way"));
  look = two();
  look.nodes[0].answers[1]["agreed"] = false;
  CHECK(says(look, "agree"));
  look = two();
  look.nodes[0].answers[1]["votes"] = true;
  CHECK(says(look, "a waits for a vote"));
  look = two();
  look.nodes[0].answers[0]["joined"] = false;
  CHECK(says(look, "not joined"));
}

TEST_CASE("operations: verbs that can do harm ask, and can be told not to") {
  std::vector<std::string> asking;
  for (const auto& verb : verbs()) {
    const auto& options = verb.rule.options;
    const bool yes =
        std::any_of(options.begin(), options.end(), [](const OptionRule& o) { return o.name == "yes"; });
    CHECK(yes == (verb.asks != nullptr));
    if (yes) asking.push_back(verb.rule.name);
  }
  std::sort(asking.begin(), asking.end());
  CHECK(asking == std::vector<std::string>{"drain", "freeze", "lock", "reset-cluster-size"});
}

}  // namespace operations_test
