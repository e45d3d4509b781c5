#include "strategies/distribution/load_balancer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/hash.hpp"

namespace load_balancer_test {

using namespace processhub;

namespace {

NodeId node(const std::string& name, std::uint64_t life = 1) { return NodeId::of(name, life); }

std::unique_ptr<Distribution> made(const StrategyOptions& options = {}) {
  auto out = make_load_balancer(options);
  REQUIRE_MESSAGE(out, out.error().message);
  return std::move(*out);
}

std::unique_ptr<Distribution> among(const std::vector<std::string>& names) {
  HubView view;
  for (const auto& name : names) view.members.push_back({node(name), 1.0, {}, {}});
  auto out = made();
  out->prepare(view);
  return out;
}

std::vector<NodeId> owners(const Distribution& of, std::size_t replicas, const std::vector<NodeId>& placed,
                           NodeId wish = {}) {
  std::vector<NodeId> out;
  of.owners({"x", hash64("x"), wish, {}, placed}, replicas, out);
  return out;
}

std::string mistake(const StrategyOptions& options) {
  const auto out = make_load_balancer(options);
  return out ? "none" : out.error().message;
}

/// Gives `count` children to the nodes, one after the other.
std::map<std::string, std::uint64_t> spread(const LoadRules& rules, std::vector<NodeLoad> nodes, int count) {
  for (int i = 0; i < count; ++i) ++nodes[rules.next(nodes)].children;
  std::map<std::string, std::uint64_t> out;
  for (const auto& n : nodes) out[std::string(n.node.name())] = n.children;
  return out;
}

using Spread = std::map<std::string, std::uint64_t>;

}  // namespace

TEST_CASE("load_balancer: a child is where it was placed, and what is lost is filled up behind") {
  const auto of = among({"a", "b", "c"});
  using Nodes = std::vector<NodeId>;
  CHECK(owners(*of, 1, {node("b")}) == Nodes{node("b")});
  CHECK(owners(*of, 2, {node("c"), node("a")}) == Nodes{node("c"), node("a")});
  CHECK(owners(*of, 1, {node("gone"), node("a")}) == Nodes{node("a")});
  CHECK(owners(*of, 1, {node("b", 0)}) == owners(*of, 1, {}));  // an earlier life
  CHECK(owners(*of, 2, {node("a"), node("c")}, node("c")) == Nodes{node("c"), node("a")});
  CHECK(owners(*of, 1, {node("a")}, node("gone")) == Nodes{node("a")});
  const auto filled = owners(*of, 3, {node("gone"), node("b")});
  REQUIRE(filled.size() == 3);
  CHECK(filled[0] == node("b"));
  CHECK(owners(*of, 9, {node("b")}).size() == 3);
  CHECK(owners(*among({}), 1, {node("b")}).empty());
  CHECK(owners(*of, 0, {node("b")}).empty());
}

TEST_CASE("load_balancer: the newest sample counts most, and each older one less by the decay") {
  const auto of = made({{"decay", "0.5"}, {"run_queue_weight", "0"}, {"memory_weight", "0"}});
  const auto& rules = *of->load_rules();
  const std::vector<LoadSample> none;
  CHECK(rules.busy(none) == 0);
  const std::vector<LoadSample> rising{{0, 0, 0}, {1, 0, 0}};
  CHECK(rules.busy(rising) == doctest::Approx(2.0 / 3));
  const std::vector<LoadSample> falling{{1, 0, 0}, {0, 0, 0}};
  CHECK(rules.busy(falling) == doctest::Approx(1.0 / 3));
}

TEST_CASE("load_balancer: processor, queue and memory count by their weights") {
  const auto of = made({{"cpu_weight", "2"}, {"run_queue_weight", "1"}, {"memory_weight", "1"}});
  const auto& rules = *of->load_rules();
  const auto busy = [&](LoadSample sample) { return rules.busy(std::vector<LoadSample>{sample}); };
  CHECK(busy({1, 0, 0}) == doctest::Approx(0.5));
  CHECK(busy({0, 4, 0}) == doctest::Approx(0.125));  // half of a quarter
  CHECK(busy({0, 1e6, 0}) == doctest::Approx(0.25).epsilon(0.001));
  CHECK(busy({0, 0, 1}) == doctest::Approx(0.25));
  CHECK(made({{"cpu_weight", "0"}, {"run_queue_weight", "0"}, {"memory_weight", "0"}})
            ->load_rules()
            ->busy(std::vector<LoadSample>{{1, 9, 1}}) == 0);
}

TEST_CASE("load_balancer: the next child goes where there is most room") {
  const auto of = made();
  const auto& rules = *of->load_rules();
  CHECK(spread(rules, {{node("a")}, {node("b")}, {node("c")}}, 9) == Spread{{"a", 3}, {"b", 3}, {"c", 3}});
  // First those that have less.
  CHECK(spread(rules, {{node("a"), 1, 0, 6}, {node("b")}}, 4) == Spread{{"a", 6}, {"b", 4}});
  // By weight.
  CHECK(spread(rules, {{node("a"), 3, 0, 0}, {node("b")}}, 100) == Spread{{"a", 75}, {"b", 25}});
  // Busy to the full: 0.3 of an idle one.
  CHECK(spread(rules, {{node("a"), 1, 1, 0}, {node("b")}}, 130) == Spread{{"a", 30}, {"b", 100}});
  // A node of weight 0 gets none unless all are so.
  CHECK(spread(rules, {{node("a"), 0, 0, 0}, {node("b"), 1, 1, 50}}, 10) == Spread{{"a", 0}, {"b", 60}});
  CHECK(spread(rules, {{node("a"), 0, 0, 0}, {node("b"), 0, 0, 0}}, 10) == Spread{{"a", 5}, {"b", 5}});
}

TEST_CASE("load_balancer: how much the number of children counts is an option") {
  const auto busy_only = made({{"children_weight", "0"}});
  const auto even = made({{"children_weight", "1000"}});
  const std::vector<NodeLoad> nodes{{node("a"), 1, 1, 0}, {node("b")}};
  CHECK(spread(*busy_only->load_rules(), nodes, 51) == Spread{{"a", 1}, {"b", 50}});
  CHECK(spread(*even->load_rules(), nodes, 100)["a"] == 50);
}

TEST_CASE("load_balancer: nothing is shifted unless it rebalances") {
  const std::vector<NodeLoad> nodes{{node("a"), 1, 0, 100}, {node("b")}};
  CHECK(made()->load_rules()->shifts(nodes).empty());
  CHECK_FALSE(made({{"rebalance", "true"}})->load_rules()->shifts(nodes).empty());
}

TEST_CASE("load_balancer: a shift is a part of the children, within the hysteresis there is none") {
  const auto of = made({{"rebalance", "true"}, {"hysteresis", "0.2"}, {"max_share", "0.1"}});
  const auto shifts = [&](std::vector<NodeLoad> nodes) {
    std::map<std::string, std::size_t> out;
    for (const auto& s : of->load_rules()->shifts(nodes))
      out[std::string(s.from.name()) + ">" + std::string(s.to.name())] += s.count;
    return out;
  };
  using Shifts = std::map<std::string, std::size_t>;
  CHECK(shifts({{node("a"), 1, 0, 100}, {node("b")}}) == Shifts{{"a>b", 10}});
  CHECK(shifts({{node("a"), 1, 0, 59}, {node("b"), 1, 0, 41}}).empty());
  CHECK(shifts({{node("a"), 1, 0, 62}, {node("b"), 1, 0, 38}}) == Shifts{{"a>b", 6}});
  CHECK(shifts({{node("a"), 1, 0, 1}, {node("b")}}).empty());
  CHECK(shifts({{node("a"), 1, 0, 2}, {node("b")}}) == Shifts{{"a>b", 1}});
  CHECK(shifts({{node("a"), 1, 0, 90}, {node("b")}, {node("c")}}) == Shifts{{"a>b", 9}});
  CHECK(shifts({{node("a"), 0, 0, 9}, {node("b"), 0, 0, 0}}).empty());
  // Whoever is busy has more than its share earlier.
  CHECK(shifts({{node("a"), 1, 1, 50}, {node("b"), 1, 0, 50}}) == Shifts{{"a>b", 5}});
  CHECK(shifts({}).empty());
}

TEST_CASE("load_balancer: shifts end, and all nodes are near their shares then") {
  const auto of = made({{"rebalance", "true"}});
  std::vector<NodeLoad> nodes{{node("a"), 1, 0.9, 500}, {node("b"), 2, 0, 0}, {node("c"), 1, 0.5, 40}};
  int rounds = 0;
  for (;; ++rounds) {
    REQUIRE(rounds < 100);
    const auto shifts = of->load_rules()->shifts(nodes);
    if (shifts.empty()) break;
    for (const auto& s : shifts) {
      for (auto& n : nodes) {
        if (n.node == s.from) n.children -= s.count;
        if (n.node == s.to) n.children += s.count;
      }
    }
  }
  CHECK(rounds > 3);
  CHECK(nodes[0].children + nodes[1].children + nodes[2].children == 540);
  CHECK(nodes[0].children < 100);
  CHECK(nodes[1].children > 300);
}

TEST_CASE("load_balancer: what is wrong with an option is named, with what was expected") {
  CHECK(mistake({{"push_interval", "500ms"}, {"max_history", "5"}, {"decay", "1"}}) == "none");
  CHECK(mistake({{"push_interval", "10"}}) ==
        "push_interval is '10', expected a duration such as 500ms or 10s, at least 100ms");
  CHECK(mistake({{"push_interval", "99ms"}}).find("at least 100ms") != std::string::npos);
  CHECK(mistake({{"push_interval", "99999999999999999999s"}}).find("push_interval is") == 0);
  CHECK(mistake({{"max_history", "0"}}) == "max_history is '0', expected a number from 1 to 1000");
  CHECK(mistake({{"decay", "1.1"}}) == "decay is '1.1', expected a number from 0 to 1");
  CHECK(mistake({{"decay", "nan"}}) == "decay is 'nan', expected a number from 0 to 1");
  CHECK(mistake({{"cpu_weight", "-1"}}) == "cpu_weight is '-1', expected a number from 0 to 1000");
  CHECK(mistake({{"rebalance", "yes"}}) == "rebalance is 'yes', expected true or false");
  CHECK(
      mistake({{"rebalanced", "true"}}) ==
      "unknown option 'rebalanced'; known: push_interval, max_history, decay, cpu_weight, run_queue_weight, "
      "memory_weight, children_weight, rebalance, hysteresis, max_share");
}

TEST_CASE("load_balancer: the highest score is where the next child would go, and it is said why") {
  const auto of = among({"a", "b", "c"});
  const std::vector<NodeId> placed = {node("b")};
  const std::vector<NodeLoad> loads = {
      {node("a"), 1, 0.9, 10}, {node("b"), 2, 0.25, 12}, {node("c"), 1, 0, 9}};
  std::vector<NodeScore> scores;
  of->scores({"x", hash64("x"), {}, {}, placed}, loads, scores);
  REQUIRE(scores.size() == 3);
  const auto best = std::max_element(
      scores.begin(), scores.end(), [](const NodeScore& a, const NodeScore& b) { return a.score < b.score; });
  CHECK(best->node == loads[of->load_rules()->next(loads)].node);
  CHECK(scores[0].score < scores[2].score);
  CHECK(scores[0].why == "busy 0.9, 10 children, weight 1");
  CHECK(scores[1].why == "busy 0.25, 12 children, weight 2, placed there before");
}

}  // namespace load_balancer_test
