// A strategy of the user's own in real nodes: the plugin of examples/together, chosen by a file.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/live/support/process_cluster.hpp"

namespace own_strategy_test {

using live::eventually;
using live::Json;
using live::ProcessCluster;

namespace {

constexpr std::size_t kCarts = 60;
constexpr std::size_t kParts = 4;

std::string config(const ProcessCluster& cluster, const std::string& name, const std::string& options) {
  return cluster.directory().write(name, "plugin = " + live::program_path("libtogether.so") +
                                             "\ndistribution = together\n[distribution]\n" + options);
}

std::string carts(const ProcessCluster& cluster) {
  std::string lines;
  for (std::size_t i = 0; i < kCarts * kParts; ++i) {
    const auto id = "cart-" + std::to_string(i % kCarts) + ".part-" + std::to_string(i / kCarts);
    lines += Json{{"id", id}, {"type", "counter"}}.dump() + "\n";
  }
  return cluster.directory().write("carts.jsonl", lines);
}

/// Every child runs once, all parts of a cart on one node, and every living node has carts.
bool carts_are_whole(const ProcessCluster& cluster) {
  if (!cluster.each_runs_once(kCarts * kParts)) return false;
  const auto names = cluster.names();
  return std::all_of(names.begin(), names.end(), [&](const std::string& node) {
    std::map<std::string, std::set<std::string>> nodes_of;
    std::set<std::string> used;
    for (const auto& child : cluster.query(node, {"list"})) {
      const std::string id = child.at("id");
      if (child.at("instances").size() != 1) return false;
      const std::string at = child.at("instances").at(0).at("node");
      nodes_of[id.substr(0, id.find('.'))].insert(at);
      used.insert(at);
    }
    return nodes_of.size() == kCarts && used.size() == names.size() &&
           std::all_of(nodes_of.begin(), nodes_of.end(),
                       [](const auto& cart) { return cart.second.size() == 1; });
  });
}

}  // namespace

TEST_CASE("a distribution from a plugin keeps carts whole on real nodes that join, are killed and leave") {
  ProcessCluster cluster;
  const auto file = config(cluster, "together.ini", "separator = .\n");
  // The harness names a plugin itself, and flags count instead of the file's.
  const std::vector<std::string> flags = {"--config", file, "--plugin", live::program_path("libtogether.so")};
  for (const auto* node : {"a", "b", "c"}) cluster.start(node, flags);
  REQUIRE(eventually([&] { return cluster.all_see({"a", "b", "c"}); }));
  REQUIRE(cluster.ask("b", {"start", "--file", carts(cluster)}).exit == live::done);
  REQUIRE(eventually([&] { return carts_are_whole(cluster); }));

  cluster.start("d", flags);
  REQUIRE(eventually([&] { return carts_are_whole(cluster); }));
  cluster.kill("b");
  REQUIRE(eventually([&] { return carts_are_whole(cluster); }));
  CHECK(cluster.terminate("a") == 0);
  REQUIRE(eventually([&] { return carts_are_whole(cluster) && cluster.digests_agree(); }));

  const std::string at = cluster.query("c", {"lookup", "cart-7.part-0"}).at("instances").at(0).at("node");
  const std::string other = at == "c" ? "d" : "c";
  const auto moved = cluster.ask("c", {"migrate", "cart-7.part-0", other});
  CHECK(moved.exit == live::said_no);
  CHECK_MESSAGE(moved.err.find("the distribution 'together' does not put 'cart-7.part-0' on node '" + other +
                               "'") != std::string::npos,
                moved.err);
}

TEST_CASE("a node whose plugin's options are wrong does not start, and says why") {
  ProcessCluster cluster;
  const auto refused = [&](const std::string& options) {
    const auto file = config(cluster, "wrong.ini", options);
    const auto answer = live::run_program(
        {live::program_path("hubd"), "--name", "a", "--listen", "tcp://127.0.0.1:0", "--config", file});
    CHECK(answer.exit == 2);
    return answer.err;
  };
  const auto unknown = refused("seperator = .\n");
  CHECK_MESSAGE(
      unknown.find("distribution 'together': unknown option 'seperator'; known: separator, prefix") !=
          std::string::npos,
      unknown);
  const auto value = refused("prefix = middle\n");
  CHECK_MESSAGE(
      value.find("distribution 'together': prefix is 'middle', expected first or last") != std::string::npos,
      value);
}

}  // namespace own_strategy_test
