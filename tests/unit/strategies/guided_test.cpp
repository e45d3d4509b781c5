#include <doctest/doctest.h>

#include "strategies/distribution/guided.hpp"

namespace processhub::guided_test {
namespace {

HubView view_of(const std::vector<std::string>& names, std::uint64_t life = 1) {
  HubView view;
  for (const auto& name : names) view.members.push_back({NodeId::of(name, life), 1.0, {}, {}});
  return view;
}

ChildSpec on(std::vector<std::string> nodes) {
  ChildSpec spec{.id = "c", .type = "t"};
  spec.nodes = std::move(nodes);
  return spec;
}

std::vector<std::string> owners(const Distribution& guided, const std::vector<std::string>& nodes,
                                std::size_t replicas) {
  std::vector<NodeId> out;
  guided.owners({"c", 1, NodeId::of("a", 1), nodes}, replicas, out);
  std::vector<std::string> names;
  for (const auto id : out) names.push_back(id.str());
  return names;
}

TEST_CASE("guided: the owners are the named nodes that are there, in their order, whatever their life") {
  const auto guided = make_guided({}).value()->name();
  CHECK(guided == "guided");
  auto strategy = std::move(*make_guided({}));
  strategy->prepare(view_of({"a", "b", "c"}, 7));
  using Names = std::vector<std::string>;
  CHECK(owners(*strategy, {"c", "a"}, 2) == Names{"c/7", "a/7"});
  CHECK(owners(*strategy, {"c", "a"}, 1) == Names{"c/7"});
  CHECK(owners(*strategy, {"z", "b"}, 2) == Names{"b/7"});
  CHECK(owners(*strategy, {"z"}, 1).empty());
  CHECK(owners(*strategy, {}, 1).empty());
}

TEST_CASE("guided: a start that does not say where is refused, with what was expected") {
  auto strategy = std::move(*make_guided({}));
  const auto view = view_of({"a", "b", "c"});
  const auto why = [&](std::vector<std::string> nodes, std::size_t replicas) {
    const auto checked = strategy->check(on(std::move(nodes)), replicas, view);
    return checked ? std::string() : checked.error().message;
  };
  CHECK(why({"b"}, 1).empty());
  CHECK(why({"b", "a"}, 2).empty());
  CHECK(why({}, 1) == "child 'c': nodes: missing; the distribution 'guided' must be told where it belongs");
  CHECK(why({"a"}, 2) == "child 'c': nodes: expected 2, one for each copy, not 1");
  CHECK(why({"a", "b", "c"}, 5).empty());
  CHECK(why({"a", "a"}, 2) == "child 'c': nodes: 'a' is named twice");
  CHECK(why({"z"}, 1) == "child 'c': nodes: no node 'z' may own children; there are: a, b, c");
  CHECK(strategy->check(on({"z"}), 1, HubView{}));
}

TEST_CASE("guided: a node's score is its place among those that are named") {
  auto strategy = std::move(*make_guided({}));
  strategy->prepare(view_of({"a", "b", "c"}));
  std::vector<NodeScore> scores;
  const std::vector<std::string> named = {"c", "z", "a"};
  strategy->scores({"c", 1, {}, named}, {}, scores);
  REQUIRE(scores.size() == 3);
  CHECK(scores[0].score == 1);
  CHECK(scores[0].why == "number 3 of 3 that its spec names");
  CHECK(scores[1].score == 0);
  CHECK(scores[1].why == "not named in its spec");
  CHECK(scores[2].score == 3);
}

TEST_CASE("guided: it has no options") {
  const auto made = make_guided({{"spread", "yes"}});
  REQUIRE_FALSE(made);
  CHECK(made.error().message.find("spread") != std::string::npos);
}

}  // namespace
}  // namespace processhub::guided_test
