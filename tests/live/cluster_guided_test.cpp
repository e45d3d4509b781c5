// Real nodes and children that were told where they belong.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/live/support/process_cluster.hpp"

namespace cluster_guided_test {

using live::eventually;
using live::Json;
using live::ProcessCluster;

namespace {

constexpr std::size_t kChildren = 1000;
const std::vector<std::string> kSix = {"a", "b", "c", "d", "e", "f"};

const std::string& home_of(std::size_t child) { return kSix[child % kSix.size()]; }

/// Children `from` to `to` - 1, as a file for hubctl start.
std::string specs(const ProcessCluster& cluster, std::size_t from, std::size_t to) {
  std::string lines;
  for (auto i = from; i < to; ++i) {
    const Json spec{{"id", "x-" + std::to_string(i)}, {"type", "counter"}, {"nodes", {home_of(i)}}};
    lines += spec.dump() + "\n";
  }
  return cluster.directory().write("specs-" + std::to_string(from) + ".jsonl", lines);
}

/// Every living node lists every child; each runs at home, or nowhere if its node is gone.
bool all_at_home(const ProcessCluster& cluster, const std::string& gone = {}) {
  const auto names = cluster.names();
  return std::all_of(names.begin(), names.end(), [&](const std::string& node) {
    const auto list = cluster.query(node, {"list"});
    return list.size() == kChildren && std::all_of(list.begin(), list.end(), [&](const Json& child) {
             const std::string id = child.at("id");
             const auto& home = home_of(std::stoul(id.substr(2)));
             const auto& instances = child.at("instances");
             if (home == gone) return instances.empty();
             return instances.size() == 1 && instances[0].at("node") == home &&
                    instances[0].at("state") == "running";
           });
  });
}

}  // namespace

TEST_CASE(
    "six nodes with 1,000 guided children: started and stopped on every node, they wait for a dead node and "
    "never move") {
  ProcessCluster cluster;
  cluster.set_flags({"--distribution", "guided"}, {});
  cluster.start(kSix);
  for (std::size_t n = 0; n < kSix.size(); ++n) {
    const auto file = specs(cluster, kChildren * n / kSix.size(), kChildren * (n + 1) / kSix.size());
    const auto answer = cluster.ask(kSix[n], {"start", "--file", file});
    REQUIRE_MESSAGE(answer.exit == live::done, answer.out.substr(0, 1000), answer.err);
  }
  REQUIRE(eventually([&] { return all_at_home(cluster); }));

  const auto nowhere = cluster.ask("a", {"start", "y", "--type", "counter", "--nodes", "z"});
  CHECK(nowhere.exit == live::said_no);
  CHECK(nowhere.err.find("no node 'z' may own children; there are: a, b, c, d, e, f") != std::string::npos);
  const auto unguided = cluster.ask("a", {"start", "y", "--type", "counter"});
  CHECK(unguided.exit == live::said_no);
  CHECK(unguided.err.find("nodes: missing") != std::string::npos);

  cluster.kill("d");
  REQUIRE(eventually([&] { return all_at_home(cluster, "d"); }));
  const auto id = cluster.query("a", {"list", "--node", "b"}).at(0).at("id").get<std::string>();
  const auto candidates =
      live::run_program({live::program_path("zmq-monitor"), cluster.endpoint("a"), "--json", "explain", id})
          .json()
          .at("candidates");
  REQUIRE(candidates.size() == 6);
  CHECK(candidates[0] ==
        Json{{"node", "b"}, {"score", 1.0}, {"why", "number 1 of 1 that its spec names"}, {"unable", ""}});
  CHECK(candidates[1].at("unable") == "is not chosen by guided");
  CHECK(candidates[5].at("unable") == "is down");
  cluster.start("d");
  REQUIRE(eventually([&] { return all_at_home(cluster); }));
  CHECK(cluster.terminate("b") == 0);
  REQUIRE(eventually([&] { return all_at_home(cluster, "b"); }));
  cluster.start("b");
  REQUIRE(eventually([&] { return all_at_home(cluster) && cluster.digests_agree(); }));

  for (std::size_t n = 0; n < kSix.size(); ++n) {
    std::vector<std::string> stop = {"stop"};
    for (std::size_t i = n; i < kChildren; i += kSix.size()) stop.push_back("x-" + std::to_string(i));
    CHECK(cluster.ask(kSix[n], std::move(stop)).exit == live::done);
  }
  REQUIRE(eventually([&] { return cluster.query("a", {"list"}).empty() && cluster.digests_agree(); }));
}

}  // namespace cluster_guided_test
