// What a cluster does when a node comes or dies.
#include <fmt/format.h>

#include <algorithm>

#include "tools/hub-bench/cases.hpp"
#include "tools/hub-bench/cluster.hpp"

namespace processhub::hub_bench {
namespace {

constexpr std::uint64_t kChildren = 10'000;
constexpr std::chrono::milliseconds kQuietAfterChange{400};

void fill(Cluster& cluster) {
  cluster.watch(kChildren);
  cluster.node(0).ask({{"do", "start"}, {"count", kChildren}});
  cluster.agreed(kQuietAfterChange);
}

/// The worst of all runs.
struct Outcome {
  std::vector<double> times{};
  std::vector<std::uint64_t> moved{};
  Cluster::Census worst{};

  void add(std::int64_t took, std::uint64_t moved_now, const Cluster::Census& census) {
    times.push_back(static_cast<double>(took) / 1e6);
    moved.push_back(moved_now);
    worst = {std::max(worst.lost, census.lost), std::max(worst.doubled, census.doubled)};
  }
  std::string note() const {
    const auto [low, high] = std::minmax_element(moved.begin(), moved.end());
    return fmt::format("moved {}..{}, lost {}, doubled {}", *low, *high, worst.lost, worst.doubled);
  }
};

void join(Bench& bench) {
  Outcome outcome;
  for (std::uint32_t run = 0; run < bench.options().runs; ++run) {
    Cluster cluster(2);
    fill(cluster);
    cluster.prepare_node();
    const auto since = cluster.join_last(kChildren);
    // Its share is a third; no hash is so uneven that it gets half of that.
    const auto done = cluster.agreed(kQuietAfterChange, [&] { return cluster.live_on(2) > kChildren / 6; });
    outcome.add(done - since, cluster.live_on(2), cluster.census(kChildren));
  }
  bench.report().add(
      {"third node joins two with 10000", "ms", Better::lower, outcome.times, 100, {}, outcome.note()});
}

void kill_one(Bench& bench) {
  constexpr std::uint32_t kVictim = 1;
  Outcome outcome;
  for (std::uint32_t run = 0; run < bench.options().runs; ++run) {
    Cluster cluster(3);
    fill(cluster);
    const auto moving = cluster.live_on(kVictim);
    cluster.watch(kChildren, Cluster::name(kVictim));
    const auto since = cluster.kill(kVictim);
    const auto done = cluster.agreed(kQuietAfterChange);
    outcome.add(done - since, moving, cluster.census(kChildren));
  }
  bench.report().add(
      {"kill -9 of one of three with 10000", "ms", Better::lower, outcome.times, 150, {}, outcome.note()});
}

}  // namespace

void add_change_cases(std::vector<Case>& cases) {
  cases.push_back({"join", true, join});
  cases.push_back({"kill", true, kill_one});
}

}  // namespace processhub::hub_bench
