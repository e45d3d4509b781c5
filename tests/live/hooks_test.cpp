// Hooks of real nodes: the audit plugin writes down what it is told, and every line is counted.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "processhub/hooks.hpp"
#include "tests/live/support/fault_checks.hpp"
#include "tests/live/support/relay_lab.hpp"
#include "tests/live/support/states.hpp"

namespace hooks_test {

using live::eventually;
using live::Names;
using live::ProcessCluster;

namespace {

constexpr std::size_t kChildren = 1000;
const Names kSix = {"a", "b", "c", "d", "e", "f"};
const Names kThree = {"a", "b", "c"};

/// How many ids a line tells of: "children_started x-1 x-2 and 998 more" of 1,000.
std::size_t ids_in(const std::string& line) {
  const auto colon = line.find(": ");
  auto rest = line.substr(colon != std::string::npos ? colon + 2 : line.find(' ') + 1);
  rest = rest.substr(0, rest.find(';'));
  std::size_t count = 0;
  const auto more = rest.find(" and ");
  if (more != std::string::npos) {
    count = std::stoul(rest.substr(more + 5));
    rest.resize(more);
  }
  return count + 1 + static_cast<std::size_t>(std::count(rest.begin(), rest.end(), ' '));
}

/// Nodes whose hooks write to a file each.
class Diaries {
 public:
  explicit Diaries(ProcessCluster& cluster) : cluster_(cluster) {
    std::string text = "[hook.diary]\nfunction = audit.write\n";
    for (const auto& event : processhub::hook_names()) text += "event = " + event + "\n";
    text += "[hook.stamp]\nfunction = audit.stamp\nevent = child_data\n";
    config_ = cluster.directory().write("hooks.ini", text);
  }

  void start(const std::string& name) {
    ::setenv("AUDIT_FILE", path(name).c_str(), 1);
    cluster_.start(name, {"--config", config_, "--plugin", live::program_path("libaudit.so")});
  }
  void start(const Names& names) {
    for (const auto& name : names) start(name);
  }

  /// The lines of one hook, without the hub's id; `containing` narrows them.
  std::vector<std::string> lines(const std::string& node, const std::string& hook,
                                 const std::string& containing = {}) const {
    std::vector<std::string> out;
    std::ifstream file(path(node));
    const auto prefix = cluster_.hub_id() + " " + hook;
    for (std::string line; std::getline(file, line);) {
      const bool named = line == prefix || line.starts_with(prefix + " ");
      if (named && line.find(containing) != std::string::npos)
        out.push_back(line.substr(prefix.size() - hook.size()));
    }
    return out;
  }
  std::size_t count(const std::string& node, const std::string& hook,
                    const std::string& containing = {}) const {
    return lines(node, hook, containing).size();
  }
  std::size_t ids(const std::string& node, const std::string& hook,
                  const std::string& containing = {}) const {
    std::size_t sum = 0;
    for (const auto& line : lines(node, hook, containing)) sum += ids_in(line);
    return sum;
  }

 private:
  std::string path(const std::string& node) const {
    return (cluster_.directory().path() / (node + ".diary")).string();
  }
  ProcessCluster& cluster_;
  std::string config_{};
};

/// `hook` was told of that many children on `node`, exactly, once all lines are written.
bool told(const Diaries& diaries, const std::string& node, const std::string& hook, std::size_t ids,
          const std::string& containing = {}) {
  const bool ok = eventually([&] { return diaries.ids(node, hook, containing) >= ids; });
  CHECK_MESSAGE(diaries.ids(node, hook, containing) == ids, node, " ", hook);
  return ok;
}

void check_joins(const Diaries& diaries) {
  for (const auto& node : kSix) {
    for (const auto& other : kSix) {
      if (other == node) continue;
      CHECK_MESSAGE(eventually([&] { return diaries.count(node, "post_cluster_join", other + "/") == 1; }),
                    node, other);
      CHECK_MESSAGE(diaries.count(node, "pre_cluster_join", other + "/") == 1, node, other);
    }
    CHECK(diaries.count(node, "priority_changed", "from 10 to 0") >= 1);
  }
}

void check_leave(const Diaries& diaries, const Names& left, const std::string& gone, const std::string& how) {
  for (const auto& node : left) {
    CHECK_MESSAGE(eventually([&] { return diaries.count(node, "post_cluster_leave", gone + "/") == 1; }),
                  node);
    CHECK_MESSAGE(diaries.count(node, "post_cluster_leave", how) >= 1, node);
    CHECK_MESSAGE(diaries.count(node, "pre_cluster_leave", gone + "/") == 1, node);
    CHECK_MESSAGE(eventually([&] { return diaries.count(node, "post_redistribution", gone + "/") >= 1; }),
                  node);
    CHECK_MESSAGE(diaries.count(node, "pre_redistribution", gone + "/") >= 1, node);
  }
}

std::string node_of(const ProcessCluster& cluster, const std::string& id) {
  const auto child = cluster.query("a", {"lookup", id});
  const std::string ref = child.at("instances").at(0).at("node");
  return ref.substr(0, ref.find('/'));
}

}  // namespace

TEST_CASE("six nodes with 1,000 children: every hook of starts, crashes, leaves and stops is counted") {
  ProcessCluster cluster;
  Diaries diaries(cluster);
  diaries.start(kSix);
  REQUIRE(eventually([&] { return cluster.all_see(kSix); }));
  check_joins(diaries);

  live::start_counters(cluster, "a", "x", kChildren);
  live::require_quiet(cluster, kChildren);
  for (const auto* hook : {"pre_children_start", "children_started", "post_children_start"})
    told(diaries, "a", hook, kChildren);
  for (const auto& node : kSix) told(diaries, node, "registry_inserted", kChildren);
  CHECK(cluster.query("b", {"lookup", "x-7"}).at("metadata").at("audited_by") == "stamp");

  const auto home = node_of(cluster, "x-7");
  cluster.ask("a", {"cast", "x-7", "crash", "{}"});
  CHECK(eventually([&] { return diaries.count(home, "child_restarted", "x-7") == 1; }));
  for (int crash = 0; crash < 5; ++crash) {
    REQUIRE(eventually([&] { return cluster.ask("a", {"call", "x-7", "get", "{}"}).exit == live::done; }));
    cluster.ask("a", {"cast", "x-7", "crash", "{}"});
  }
  CHECK(eventually([&] { return diaries.count(home, "child_failed", "x-7") == 1; }));
  REQUIRE(cluster.ask("a", {"restart", "x-7"}).exit == live::done);
  live::require_quiet(cluster, kChildren);

  const auto of_f = cluster.placement("a").at("f");
  CHECK(cluster.terminate("f") == 0);
  const Names five = {"a", "b", "c", "d", "e"};
  live::require_quiet(cluster, kChildren);
  told(diaries, "f", "children_migrated", of_f);
  told(diaries, "f", "pre_children_redistribution", of_f, "from f/");
  CHECK(diaries.count("f", "hub_shutdown") == 1);
  check_leave(diaries, five, "f", "left");

  const auto of_e = cluster.placement("a").at("e");
  cluster.kill("e");
  live::require_quiet(cluster, kChildren);
  const Names four = {"a", "b", "c", "d"};
  check_leave(diaries, four, "e", "is down");
  std::size_t taken = 0;
  for (const auto& node : four) taken += diaries.ids(node, "pre_children_redistribution", "from e/");
  CHECK(taken == of_e);

  REQUIRE(cluster.ask("b", {"stop", "--prefix", "x"}).exit == live::done);
  for (const auto& node : four) told(diaries, node, "registry_removed", kChildren);
}

TEST_CASE("hooks of a suspicion and of a conflict after a cut are told") {
  live::RelayLab lab;
  auto& cluster = lab.cluster();
  Diaries diaries(cluster);
  diaries.start(kThree);
  REQUIRE(eventually([&] { return cluster.all_see(kThree); }));

  lab.cut_between({"c"}, {"a", "b"});
  live::require_quiet(cluster, {"a", "b"}, 0);
  CHECK(diaries.count("a", "node_suspected", "c/") == 1);
  live::require_quiet(cluster, {"c"}, 0);
  for (const auto* node : {"a", "c"}) live::start_counters(cluster, node, "both", 1);
  lab.heal_between({"c"}, {"a", "b"});
  live::require_quiet(cluster, 1);
  // Whoever learns of the removal before the other start has seen no conflict.
  CHECK(eventually([&] {
    return std::any_of(kThree.begin(), kThree.end(),
                       [&](const auto& node) { return diaries.count(node, "child_conflict", "both") == 1; });
  }));
}

TEST_CASE("hooks of a lost quorum and of a message to nobody are told once, and only where they happened") {
  live::RelayLab lab;
  auto& cluster = lab.cluster();
  cluster.set_flags({"--partition_tolerance", "static_quorum", "--partition_tolerance.quorum_size", "2",
                     "--partition_tolerance.quorum_lease", "1s"},
                    {});
  Diaries diaries(cluster);
  diaries.start(kThree);
  REQUIRE(eventually([&] { return cluster.query("a", {"status"}).at("partitioned") == false; }));
  live::start_counters(cluster, "a", "x", 30);
  live::require_quiet(cluster, 30);
  // The first node was alone when it booted: it had no quorum yet, and lost none.
  for (const auto& node : kThree) {
    CHECK_MESSAGE(diaries.count(node, "quorum_lost") == 0, node);
    CHECK_MESSAGE(diaries.count(node, "quorum_regained") == 0, node);
  }

  lab.cut_between({"c"}, {"a", "b"});
  CHECK(eventually([&] { return diaries.count("c", "quorum_lost") == 1; }));
  CHECK(eventually([&] { return diaries.count("c", "priority_changed", "from 0 to 10") >= 1; }));
  live::require_quiet(cluster, {"a", "b"}, 30);
  lab.heal_between({"c"}, {"a", "b"});
  CHECK(eventually([&] { return diaries.count("c", "quorum_regained") == 1; }));
  live::require_quiet(cluster, 30);
  CHECK(diaries.count("c", "quorum_lost") == 1);
  for (const auto* node : {"a", "b"}) {
    CHECK(diaries.count(node, "quorum_lost") == 0);
    CHECK(diaries.count(node, "node_suspected", "c/") == 1);
  }

  live::States to_b(cluster, {"b"}, 0);
  REQUIRE(to_b.client().cast("nobody", counter_messages::Add{1}).ok());
  CHECK(eventually([&] { return diaries.count("b", "dead_letter", "add to nobody") == 1; }));
  for (const auto* node : {"a", "c"}) CHECK_MESSAGE(diaries.count(node, "dead_letter") == 0, node);
}

TEST_CASE(
    "a start that reaches a node when a newer one owns the children is passed on, and the hook tells so") {
  constexpr std::size_t kStarted = 300;
  live::RelayLab lab;
  auto& cluster = lab.cluster();
  cluster.set_flags({"--suspect_after", "10s"}, {});
  Diaries diaries(cluster);
  diaries.start(kThree);
  REQUIRE(eventually([&] { return cluster.all_see(kThree); }));

  // What a says to b arrives after d has come, and c does not tell it before.
  lab.cut("a", "b");
  lab.cut("c", "b");
  live::Process start({{live::program_path("hubctl"), "--connect", cluster.control("a"), "start", "x",
                        "--count", std::to_string(kStarted), "--type", "counter"},
                       cluster.directory().path() / "start.log",
                       {},
                       false,
                       {}});
  REQUIRE(eventually([&] { return cluster.query("a", {"list"}).size() == kStarted; }));
  diaries.start("d");
  REQUIRE(eventually([&] { return live::state_of(cluster, "b", "d") == "up"; }));
  lab.heal("a", "b");
  lab.heal("c", "b");
  CHECK(start.wait_exit(std::chrono::seconds(30)) == live::done);
  live::require_quiet(cluster, kStarted);
  CHECK(eventually([&] { return diaries.count("b", "forwarded_migration", "to d/") >= 1; }));
  const auto passed_on = diaries.ids("b", "forwarded_migration");
  CHECK(passed_on <= cluster.placement("a").at("d"));
  CHECK(diaries.ids("b", "forwarded_migration", "to d/") == passed_on);
}

}  // namespace hooks_test
