#include "strategies/distribution/rendezvous.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/hash.hpp"

namespace rendezvous_test {

using namespace processhub;

namespace {

struct Placement {
  std::unique_ptr<Distribution> strategy = std::move(make_rendezvous({}).value());

  explicit Placement(const std::vector<std::pair<std::string, double>>& nodes) {
    HubView view;
    for (const auto& [name, weight] : nodes) view.members.push_back({NodeId::of(name, 7), weight, {}, {}});
    std::sort(view.members.begin(), view.members.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    strategy->prepare(view);
  }
  std::vector<NodeId> owners(const std::string& id, std::size_t replicas, NodeId explicit_node = {}) const {
    std::vector<NodeId> out;
    strategy->owners({id, hash64(id), explicit_node}, replicas, out);
    return out;
  }
  NodeId owner(const std::string& id) const { return owners(id, 1).at(0); }
};

std::vector<std::pair<std::string, double>> equal_nodes(int count, double weight = 1.0) {
  std::vector<std::pair<std::string, double>> nodes;
  for (int i = 0; i < count; ++i) nodes.emplace_back("node-" + std::to_string(i), weight);
  return nodes;
}

std::string child(int i) { return "child-" + std::to_string(i); }

/// Children per node name, of `count` children.
std::map<std::string, int> shares(const Placement& placement, int count) {
  std::map<std::string, int> out;
  for (int i = 0; i < count; ++i) ++out[std::string(placement.owner(child(i)).name())];
  return out;
}

/// Within four standard deviations of a binomial: a fair hash fails this once in 16,000 names, and the names
/// are fixed.
void check_share(int got, int total, double expected) {
  const double mean = total * expected;
  const double sigma = std::sqrt(mean * (1 - expected));
  CHECK_MESSAGE(std::abs(got - mean) < 4 * sigma,
                got << " children, expected " << mean << " +- " << 4 * sigma);
}

}  // namespace

TEST_CASE("rendezvous: two instances give the same owners whatever was prepared before") {
  const Placement a(equal_nodes(5));
  Placement b(equal_nodes(3));
  HubView view;
  for (const auto& [name, weight] : equal_nodes(5))
    view.members.push_back({NodeId::of(name, 7), weight, {}, {}});
  b.strategy->prepare(view);
  for (int i = 0; i < 1'000; ++i) CHECK(a.owners(child(i), 3) == b.owners(child(i), 3));
}

TEST_CASE("rendezvous: a restarted node gets its old children back, because only names count") {
  const Placement before(equal_nodes(4));
  HubView view;
  for (const auto& [name, weight] : equal_nodes(4))
    view.members.push_back({NodeId::of(name, 99), weight, {}, {}});
  auto after = std::move(make_rendezvous({}).value());
  after->prepare(view);
  for (int i = 0; i < 1'000; ++i) {
    std::vector<NodeId> out;
    after->owners({child(i), hash64(child(i)), {}}, 1, out);
    CHECK(out.at(0).name() == before.owner(child(i)).name());
  }
}

TEST_CASE("rendezvous: placement is the same on every machine (golden owners)") {
  const Placement equal(equal_nodes(5));
  const Placement weighted(
      {{"node-0", 1.0}, {"node-1", 2.0}, {"node-2", 0.5}, {"node-3", 1.0}, {"node-4", 3.0}});
  std::string got;
  for (int i = 0; i < 16; ++i) {
    got += equal.owner(child(i)).name().back();
    got += weighted.owner(child(i)).name().back();
    got += ' ';
  }
  CHECK(got == "22 14 44 22 44 11 24 11 33 44 24 11 00 00 44 34 ");
}

TEST_CASE("rendezvous: a join moves 1/(N+1) of the children, all of them to the new node") {
  constexpr int kChildren = 20'000;
  for (const int n : {1, 3, 5, 10}) {
    const Placement before(equal_nodes(n));
    const Placement after(equal_nodes(n + 1));
    const std::string newcomer = "node-" + std::to_string(n);
    int moved = 0;
    for (int i = 0; i < kChildren; ++i) {
      const auto from = before.owner(child(i)).name();
      const auto to = after.owner(child(i)).name();
      if (from == to) continue;
      CHECK(to == newcomer);
      ++moved;
    }
    check_share(moved, kChildren, 1.0 / (n + 1));
  }
}

TEST_CASE("rendezvous: a leave moves the leaver's children and no other") {
  auto nodes = equal_nodes(6);
  const Placement before(nodes);
  nodes.erase(nodes.begin() + 2);
  const Placement after(nodes);
  for (int i = 0; i < 10'000; ++i) {
    const auto from = before.owner(child(i)).name();
    if (from == "node-2") continue;
    CHECK(after.owner(child(i)).name() == from);
  }
}

TEST_CASE("rendezvous: a changed weight moves children only to or from the node that changed") {
  const Placement before({{"a", 1.0}, {"b", 1.0}, {"c", 1.0}, {"d", 2.0}});
  const Placement after({{"a", 1.0}, {"b", 3.0}, {"c", 1.0}, {"d", 2.0}});
  for (int i = 0; i < 10'000; ++i) {
    const auto from = before.owner(child(i)).name();
    const auto to = after.owner(child(i)).name();
    if (from != to) CHECK(to == "b");
  }
}

TEST_CASE("rendezvous: equal nodes get equal shares, weighted ones shares by weight") {
  constexpr int kChildren = 60'000;
  for (const auto& [name, count] : shares(Placement(equal_nodes(5)), kChildren))
    check_share(count, kChildren, 0.2);

  auto weighted = shares(Placement({{"a", 1.0}, {"b", 2.0}, {"c", 3.0}, {"d", 0.5}, {"e", 1.0}}), kChildren);
  check_share(weighted["a"], kChildren, 1.0 / 7.5);
  check_share(weighted["b"], kChildren, 2.0 / 7.5);
  check_share(weighted["c"], kChildren, 3.0 / 7.5);
  check_share(weighted["d"], kChildren, 0.5 / 7.5);
  check_share(weighted["e"], kChildren, 1.0 / 7.5);
}

TEST_CASE("rendezvous: weights are relative, so equal ones of any size place alike") {
  const Placement ones(equal_nodes(5, 1.0));
  const Placement sevens(equal_nodes(5, 7.0));
  for (int i = 0; i < 2'000; ++i) CHECK(ones.owner(child(i)) == sevens.owner(child(i)));
}

TEST_CASE("rendezvous: among members of equal weight the weighted path ranks like the fast one") {
  // A sixth node of another weight turns the logarithms on; the order of the others must not change.
  auto nodes = equal_nodes(5);
  const Placement fast(nodes);
  nodes.emplace_back("other", 0.3);
  const Placement weighted(nodes);
  for (int i = 0; i < 2'000; ++i) {
    auto ranking = weighted.owners(child(i), 6);
    REQUIRE(ranking.size() == 6);
    ranking.erase(
        std::remove_if(ranking.begin(), ranking.end(), [](NodeId n) { return n.name() == "other"; }),
        ranking.end());
    CHECK(ranking == fast.owners(child(i), 5));
  }
}

TEST_CASE("rendezvous: the single owner is the first of the ranking, and the ranking has no repeats") {
  const Placement placement({{"a", 1.0}, {"b", 2.0}, {"c", 3.0}, {"d", 0.0}});
  for (int i = 0; i < 2'000; ++i) {
    auto ranking = placement.owners(child(i), 9);
    REQUIRE(ranking.size() == 4);
    CHECK(ranking.front() == placement.owner(child(i)));
    CHECK(ranking.back().name() == "d");
    std::sort(ranking.begin(), ranking.end());
    CHECK(std::adjacent_find(ranking.begin(), ranking.end()) == ranking.end());
  }
}

TEST_CASE("rendezvous: a node of weight 0 owns children only when there is no other") {
  const auto with_other = shares(Placement({{"a", 0.0}, {"b", 0.001}}), 1'000);
  CHECK(with_other.count("a") == 0);
  const auto alone = shares(Placement({{"a", 0.0}, {"b", 0.0}}), 1'000);
  CHECK(alone.at("a") > 400);
  CHECK(alone.at("b") > 400);
}

TEST_CASE("rendezvous: an explicit node wins while it is in the view, the rest follow in their order") {
  const Placement placement(equal_nodes(4));
  const NodeId chosen = NodeId::of("node-3", 7);
  const NodeId stranger = NodeId::of("node-9", 7);
  for (int i = 0; i < 500; ++i) {
    auto free = placement.owners(child(i), 4);
    CHECK(placement.owners(child(i), 1, chosen) == std::vector{chosen});
    CHECK(placement.owners(child(i), 4, stranger) == free);
    free.erase(std::find(free.begin(), free.end(), chosen));
    free.insert(free.begin(), chosen);
    CHECK(placement.owners(child(i), 4, chosen) == free);
  }
}

TEST_CASE("rendezvous: no members or no replicas mean no owners, and owners are appended") {
  CHECK(Placement({}).owners("x", 2).empty());
  CHECK(Placement(equal_nodes(2)).owners("x", 0).empty());
  const Placement placement(equal_nodes(2));
  std::vector<NodeId> out{NodeId::of("kept", 1)};
  placement.strategy->owners({"x", hash64("x"), {}}, 1, out);
  CHECK(out.size() == 2);
  CHECK(out.front().name() == "kept");
}

TEST_CASE("who keeps its child against newcomers is who the whole view would choose") {
  int kept = 0;
  for (int joined = 1; joined <= 5; ++joined) {
    const Placement before(equal_nodes(10));
    const Placement after(equal_nodes(10 + joined));
    std::vector<NodeId> newcomers;
    for (int i = 10; i < 10 + joined; ++i) newcomers.push_back(NodeId::of("node-" + std::to_string(i), 7));
    for (int i = 0; i < 2000; ++i) {
      const auto owner = before.owner(child(i));
      const bool keeps = after.strategy->keeps({child(i), hash64(child(i))}, owner, newcomers);
      REQUIRE(keeps == (after.owner(child(i)) == owner));
      kept += keeps ? 1 : 0;
    }
  }
  CHECK(kept > 5000);
  CHECK(kept < 10000);
}

TEST_CASE("with several weights, or a wish, nobody is kept without looking at all") {
  auto nodes = equal_nodes(3);
  nodes.emplace_back("heavy", 2.0);
  const Placement mixed(nodes);
  const auto a = NodeId::of("node-0", 7);
  CHECK_FALSE(mixed.strategy->keeps({child(1), hash64(child(1))}, mixed.owner(child(1)), {}));
  const Placement alike(equal_nodes(3));
  CHECK_FALSE(alike.strategy->keeps({child(1), hash64(child(1)), a}, alike.owner(child(1)), {}));
}

TEST_CASE("rendezvous: the scores that people are shown are those that decide") {
  const Placement placement({{"a", 1.0}, {"b", 1.0}, {"c", 2.5}, {"d", 0.0}});
  for (int i = 0; i < 200; ++i) {
    std::vector<NodeScore> scores;
    placement.strategy->scores({child(i), hash64(child(i)), NodeId::of("b", 7)}, {}, scores);
    std::sort(scores.begin(), scores.end(),
              [](const NodeScore& a, const NodeScore& b) { return a.score > b.score; });
    std::vector<NodeId> ranked;
    for (const auto& score : scores) ranked.push_back(score.node);
    CHECK(ranked == placement.owners(child(i), 4));
    CHECK(scores.back().score == 0);
    for (const auto& score : scores) {
      const bool asked = score.why == "weight 1, asked for by hand";
      CHECK(asked == (score.node.name() == "b"));
    }
  }
}

}  // namespace rendezvous_test
