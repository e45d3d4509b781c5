// The test kit: workers that are replicated learn their roles.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/sim/testing_kit_workers.hpp"

namespace testing_kit_roles_test {

using namespace kit_test;

namespace {

/// Says which role it was started with and which it was given later.
class Singer : public ph::Worker {
 public:
  static void handlers(ph::Handlers<Singer>&) {}
  void on_start(ph::StartReason) override { note("starts " + std::string(ph::to_string(ctx().role()))); }
  void on_role(ph::Role role) override { note("told " + std::string(ph::to_string(role))); }

 private:
  void note(const std::string& what) {
    diary().push_back(std::string(ctx().node().name()) + " " + what + " " +
                      std::to_string(ctx().generation().epoch));
  }
};

ph::testing::ClusterOptions replicated(const std::string& signal) {
  auto out = options();
  out.types = ph::WorkerTypes{}.add<Singer>("singer");
  out.config.redundancy = {"replication", {{"factor", "2"}, {"model", "active_passive"}, {"signal", signal}}};
  return out;
}

/// What was said after the active one's node died.
std::vector<std::string> after_a_crash(const std::string& signal) {
  ph::testing::Cluster cluster(replicated(signal));
  cluster.add_nodes({"a", "b"});
  REQUIRE(cluster.settle());
  auto started = cluster.start("a", {{.id = "s1", .type = "singer"}});
  REQUIRE(started);
  REQUIRE(cluster.settle());
  const auto active = cluster.runs_on("s1");
  REQUIRE(active.size() == 2);
  const bool a_is_active = std::find(diary().begin(), diary().end(), "a starts active 1") != diary().end();
  diary().clear();
  cluster.crash(a_is_active ? "a" : "b");
  REQUIRE(cluster.settle());
  CHECK(cluster.check());
  auto said = diary();
  for (auto& line : said) line = line.substr(2);
  return said;
}

}  // namespace

TEST_CASE("a passive worker is told that it is active now, under a higher epoch, if it wants to be told") {
  const std::vector<std::string> told{"told active 2"};
  CHECK(after_a_crash("all") == told);
  CHECK(after_a_crash("active") == told);
  CHECK(after_a_crash("passive").empty());
  CHECK(after_a_crash("none").empty());
}

TEST_CASE("a better owner that joins: it starts as passive, the active one steps back, then it is promoted") {
  ph::testing::Cluster cluster(replicated("all"));
  cluster.add_nodes({"a", "b"});
  REQUIRE(cluster.settle());
  std::vector<ph::ChildSpec> specs;
  for (int i = 0; i < 12; ++i) specs.push_back({.id = "s" + std::to_string(i), .type = "singer"});
  REQUIRE(cluster.start("a", std::move(specs)));
  REQUIRE(cluster.settle());
  diary().clear();
  cluster.add_nodes({"c"});
  REQUIRE(cluster.settle());
  CHECK(cluster.check());
  std::size_t active = 0;
  std::size_t stepped_back = 0;
  for (const auto& line : diary()) {
    active += line.starts_with("c told active") || line.starts_with("c starts active") ? 1 : 0;
    stepped_back += line.find("told passive") != std::string::npos ? 1 : 0;
    CHECK(line.find("starts active 1") == std::string::npos);
  }
  CHECK(active > 0);
  CHECK(stepped_back > 0);
  CHECK(stepped_back <= active);
}

}  // namespace testing_kit_roles_test
