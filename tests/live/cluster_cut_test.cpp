// Six real nodes with 1,000 children on both sides of a cut, under each strategy of partition tolerance. The
// workers themselves write down when they start, stop and merge. The cut lasts until both sides are at rest,
// or PH_CUT_SECONDS.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "tests/live/support/fault_checks.hpp"
#include "tests/live/support/quorum_checks.hpp"
#include "tests/live/support/relay_lab.hpp"
#include "tests/live/support/states.hpp"

namespace cluster_cut_test {

using live::Clock;
using live::eventually;
using live::Names;
using live::States;

namespace {

constexpr std::int64_t kChildren = 1000;
const Names kSix = {"a", "b", "c", "d", "e", "f"};

/// What the workers of a node wrote: how often each line came.
std::map<std::string, int> notes(const live::ProcessCluster& cluster, const std::string& node) {
  std::map<std::string, int> out;
  std::ifstream file(cluster.directory().path() / (node + ".workers"));
  for (std::string line; std::getline(file, line);) ++out[line];
  return out;
}

/// Workers that started there and have not stopped.
std::size_t running_workers(const live::ProcessCluster& cluster, const std::string& node) {
  std::size_t running = 0;
  const auto written = notes(cluster, node);
  for (const auto& [line, times] : written) {
    if (line.front() != '+') continue;
    const auto stopped = written.find("-" + line.substr(1));
    running += static_cast<std::size_t>(times - (stopped == written.end() ? 0 : stopped->second));
  }
  return running;
}

std::size_t running_workers(const live::ProcessCluster& cluster, const Names& nodes) {
  std::size_t sum = 0;
  for (const auto& node : nodes) sum += running_workers(cluster, node);
  return sum;
}

/// Six nodes behind a relay, with children that have a state.
struct Six {
  live::RelayLab lab{};
  live::ProcessCluster& cluster = lab.cluster();

  explicit Six(const std::string& config) {
    cluster.set_flags({"--config", cluster.directory().write("cut.ini", config), "--plugin",
                       live::program_path("libmerging.so")},
                      {});
    lab.relay().know("client", ::getpid());
    for (const auto& name : kSix) {
      ::setenv("MERGING_FILE", (cluster.directory().path() / (name + ".workers")).c_str(), 1);
      cluster.start(name);
    }
    REQUIRE(eventually([&] { return cluster.all_see(kSix); }));
    States states(cluster, {"a"}, kChildren);
    states.start("merging");
    live::require_quiet(cluster, kChildren);
    CHECK(states.wrong_after([](std::int64_t) { return 10; }, [](std::int64_t) { return 10; }) == 0);
  }

  /// Until it has lasted as long as the environment asks; `still` holds all the time.
  template <class Still>
  void hold(Clock::time_point begin, Still still) const {
    const char* seconds = std::getenv("PH_CUT_SECONDS");
    const auto end = begin + std::chrono::seconds(seconds == nullptr ? 0 : std::atoi(seconds));
    do {
      REQUIRE(still());
      live::pause_briefly();
    } while (Clock::now() < end);
  }

  void require_whole() const {
    const auto begin = Clock::now();
    live::require_quiet(cluster, kChildren);
    const auto took = std::chrono::duration_cast<live::Millis>(Clock::now() - begin).count();
    MESSAGE("registries equal and every child once, ", took, " ms after the heal");
    // A worker's last words may come after its row is gone.
    CHECK(eventually([&] { return running_workers(cluster, kSix) == kChildren; }));
  }
};

/// The smaller side runs nothing, the larger one everything, and after the heal all run again.
void minority_runs_nothing(const std::string& options) {
  Six six(options);
  const Names small = {"e", "f"};
  const Names large = {"a", "b", "c", "d"};
  const auto begin = Clock::now();
  six.lab.cut_between(small, large);
  live::require_without_quorum(six.cluster, small);
  REQUIRE(eventually([&] { return running_workers(six.cluster, small) == 0; }));
  live::require_quiet(six.cluster, large, kChildren);
  live::check_start_refused(six.cluster, "e");
  six.hold(begin, [&] {
    return running_workers(six.cluster, small) == 0 && live::without_quorum(six.cluster, small);
  });
  six.lab.heal_between(small, large);
  six.require_whole();
  for (const auto& node : small) CHECK(running_workers(six.cluster, node) > 0);
  CHECK(six.cluster.query("f", {"status"}).at("partitioned") == false);
}

}  // namespace

TEST_CASE(
    "six nodes cut in half under divergence: both halves run everything, and each pair is merged exactly "
    "once") {
  Six six("migration = hot_swap\n");
  const Names one = {"a", "b", "c"};
  const Names other = {"d", "e", "f"};
  const auto begin = Clock::now();
  six.lab.cut_between(one, other);
  live::require_quiet(six.cluster, one, kChildren);
  live::require_quiet(six.cluster, other, kChildren);
  // Each child kept its 10 on one side, and began anew on the other.
  std::int64_t kept = 0;
  for (const auto& side : {one, other}) {
    States states(six.cluster, side, kChildren);
    kept += kChildren - states.wrong_after([](std::int64_t i) { return 100 + i; },
                                           [](std::int64_t i) { return 110 + i; });
  }
  CHECK(kept == kChildren);
  six.hold(begin, [&] {
    return running_workers(six.cluster, one) == kChildren && running_workers(six.cluster, other) == kChildren;
  });

  six.lab.heal_between(one, other);
  six.require_whole();
  std::map<std::string, int> merged;
  for (const auto& node : kSix)
    for (const auto& [line, times] : notes(six.cluster, node))
      if (line.front() == '=') merged[line] += times;
  CHECK(merged.size() == kChildren);
  CHECK(std::all_of(merged.begin(), merged.end(), [](const auto& child) { return child.second == 1; }));
  const auto sum = [](std::int64_t i) { return 10 + 2 * (100 + i); };
  CHECK(States(six.cluster, {"a"}, kChildren).wrong_after([](std::int64_t) { return 0; }, sum) == 0);
}

TEST_CASE("six nodes cut into four and two under static_quorum: the two run nothing until the heal") {
  minority_runs_nothing(
      "partition_tolerance = static_quorum\n[partition_tolerance]\nquorum_size = 4\nquorum_lease = 1s\n");
}

TEST_CASE("six nodes cut into four and two under dynamic_quorum: the two run nothing until the heal") {
  minority_runs_nothing(
      "partition_tolerance = dynamic_quorum\n[partition_tolerance]\nquorum_size = 60\nquorum_lease = 1s\n");
}

TEST_CASE("six nodes cut into four and two under majority_quorum: the two run nothing until the heal") {
  minority_runs_nothing(
      "partition_tolerance = majority_quorum\n[partition_tolerance]\ninitial_cluster_size = 6\n"
      "quorum_lease = 1s\n");
}

TEST_CASE("six nodes cut in two halves under majority_quorum: neither runs anything until the heal") {
  Six six("partition_tolerance = majority_quorum\n[partition_tolerance]\ninitial_cluster_size = 6\n");
  const auto begin = Clock::now();
  six.lab.cut_between({"a", "b", "c"}, {"d", "e", "f"});
  live::require_without_quorum(six.cluster, kSix);
  REQUIRE(eventually([&] { return running_workers(six.cluster, kSix) == 0; }));
  six.hold(begin, [&] { return running_workers(six.cluster, kSix) == 0; });
  six.lab.heal_between({"a", "b", "c"}, {"d", "e", "f"});
  six.require_whole();
}

}  // namespace cluster_cut_test
