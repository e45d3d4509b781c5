// Replicated children on real nodes: six nodes and 1,000 children, with the roles that each node lists.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

#include "tests/live/support/fault_checks.hpp"
#include "tests/live/support/process_cluster.hpp"

namespace cluster_replication_test {

using live::eventually;
using live::Json;
using live::Names;
using live::ProcessCluster;

namespace {

constexpr std::size_t kChildren = 1000;
const Names kSix = {"a", "b", "c", "d", "e", "f"};

/// A file with the strategy's options, for all nodes of the cluster.
Names replication(const ProcessCluster& cluster, const std::string& factor, const std::string& model) {
  const auto file = cluster.directory().write(
      "replication.ini",
      "redundancy = replication\n[redundancy]\nfactor = " + factor + "\nmodel = " + model + "\n");
  return {"--config", file};
}

/// Every child of this list has `factor` running instances on different nodes of `nodes`, `active` of them
/// active.
bool each_replicated(const Json& list, const Names& nodes, std::size_t factor, std::size_t active) {
  if (!list.is_array() || list.size() != kChildren) return false;
  return std::all_of(list.begin(), list.end(), [&](const Json& child) {
    std::map<std::string, std::string> roles;
    for (const auto& instance : child.at("instances")) {
      const std::string node = instance.at("node");
      if (instance.at("state") != "running" || std::find(nodes.begin(), nodes.end(), node) == nodes.end())
        return false;
      roles[node] = instance.at("role");
    }
    const auto actives =
        std::count_if(roles.begin(), roles.end(), [](const auto& r) { return r.second == "active"; });
    return child.at("instances").size() == factor && roles.size() == factor &&
           static_cast<std::size_t>(actives) == active;
  });
}

bool all_list(const ProcessCluster& cluster, const Names& nodes, std::size_t factor, std::size_t active) {
  return std::all_of(nodes.begin(), nodes.end(),
                     [&](const std::string& node) {
                       return each_replicated(cluster.query(node, {"list"}), nodes, factor, active);
                     }) &&
         cluster.digests_agree();
}

void require_replicated(const ProcessCluster& cluster, const Names& nodes, std::size_t factor,
                        std::size_t active) {
  const bool ok = eventually([&] { return all_list(cluster, nodes, factor, active); });
  REQUIRE_MESSAGE(ok, "factor ", factor, ", active ", active, ", nodes ", nodes.size(), "; a lists x-0 as ",
                  cluster.query(nodes.front(), {"lookup", "x-0"}).dump());
}

void start_children(const ProcessCluster& cluster) {
  const auto answer = cluster.ask("a", {"start", "x", "--count", "1000", "--type", "counter"});
  REQUIRE_MESSAGE(answer.exit == live::done, answer.err);
}

/// How many active instances each node has.
std::map<std::string, std::size_t> actives(const ProcessCluster& cluster, const std::string& asked) {
  std::map<std::string, std::size_t> out;
  for (const auto& child : cluster.query(asked, {"list"})) {
    for (const auto& instance : child.at("instances"))
      out[instance.at("node")] += instance.at("role") == "active" ? 1 : 0;
  }
  return out;
}

Names without(Names nodes, const std::string& gone) {
  std::erase(nodes, gone);
  return nodes;
}

/// By hand both its instances are started again, each where it is and in its role.
void check_restart(const ProcessCluster& cluster, const std::string& id) {
  const auto instances = [&] { return cluster.query("f", {"lookup", id}).at("instances"); };
  const auto before = instances();
  const auto answer = cluster.ask("a", {"restart", id});
  REQUIRE_MESSAGE(answer.exit == live::done, answer.err);
  CHECK(answer.json().at("children")[0].at("nodes").size() == 2);
  CHECK(eventually([&] {
    const auto now = instances();
    bool all = now.size() == 2;
    for (std::size_t i = 0; all && i < 2; ++i) {
      all = now[i].at("node") == before[i].at("node") && now[i].at("role") == before[i].at("role") &&
            now[i].at("state") == "running" && now[i].at("ref") != before[i].at("ref");
    }
    return all;
  }));
  const auto passive = instances()[0].at("role") == "passive" ? instances()[0] : instances()[1];
  const auto one = cluster.ask("a", {"restart", id, "--node", passive.at("node")});
  CHECK(one.json().at("children")[0].at("nodes") == Json::array({passive.at("node")}));
}

}  // namespace

TEST_CASE(
    "six nodes, factor 2, active_passive: one active each, spread evenly, also after a kill, a return and a "
    "leave") {
  ProcessCluster cluster;
  cluster.set_flags(replication(cluster, "2", "active_passive"), {});
  cluster.start(kSix);
  start_children(cluster);
  require_replicated(cluster, kSix, 2, 1);
  for (const auto& [node, count] : actives(cluster, "b")) {
    CHECK_MESSAGE(count > 110, node);
    CHECK_MESSAGE(count < 230, node);
  }

  cluster.kill("c");
  const auto five = without(kSix, "c");
  require_replicated(cluster, five, 2, 1);
  CHECK(cluster.query("a", {"call", "x-1", "add", R"({"by":5})"}) == Json{{"total", 5}});

  cluster.start("c");
  require_replicated(cluster, kSix, 2, 1);
  CHECK(actives(cluster, "d")["c"] > 110);
  check_restart(cluster, "x-1");
  CHECK(cluster.terminate("e") == 0);
  require_replicated(cluster, without(kSix, "e"), 2, 1);
}

TEST_CASE("six nodes, factor 4, active_active: every instance is active and answers on its own node") {
  ProcessCluster cluster;
  cluster.set_flags(replication(cluster, "4", "active_active"), {});
  cluster.start(kSix);
  start_children(cluster);
  require_replicated(cluster, kSix, 4, 4);
  cluster.kill("f");
  require_replicated(cluster, without(kSix, "f"), 4, 4);

  // Each instance has a state of its own: the node that runs one asks that one.
  const auto child = cluster.query("a", {"lookup", "x-7"});
  for (const auto& instance : child.at("instances")) {
    const std::string node = instance.at("node");
    CHECK(cluster.query(node, {"call", "x-7", "add", R"({"by":1})"}) == Json{{"total", 1}});
  }
}

TEST_CASE("factor cluster_size: every node runs every child, also one that joins later") {
  ProcessCluster cluster;
  cluster.set_flags(replication(cluster, "cluster_size", "active_passive"), {});
  const Names five = without(kSix, "f");
  cluster.start(five);
  start_children(cluster);
  require_replicated(cluster, five, 5, 1);
  cluster.start("f");  // a cold swap of the active role, on those children where it is the best owner
  require_replicated(cluster, kSix, 6, 1);
  CHECK(actives(cluster, "a")["f"] > 110);
  cluster.kill("a");
  require_replicated(cluster, without(kSix, "a"), 5, 1);
}

TEST_CASE("an option that is wrong ends hubd before it starts, and the message names it") {
  const live::TempDir directory;
  const auto file = directory.write("wrong.ini", "redundancy = replication\n[redundancy]\nfactor = 0\n");
  const auto refused =
      live::run_program({live::program_path("hubd"), "--config", file, "--listen", "tcp://127.0.0.1:0"});
  CHECK(refused.exit > 0);
  CHECK_MESSAGE(refused.err.find("factor is '0', expected a number from 1 to 1000 or cluster_size") !=
                    std::string::npos,
                refused.err);
}

}  // namespace cluster_replication_test
