// Starting and stopping many children, finding them, and what each costs while it does nothing.
#include <fmt/format.h>

#include <algorithm>

#include "tools/hub-bench/cases.hpp"
#include "tools/hub-bench/cluster.hpp"

namespace processhub::hub_bench {
namespace {

constexpr std::chrono::milliseconds kQuietAfterStart{150};

double ms(std::int64_t from, const Json& to) {
  return static_cast<double>(to.get<std::int64_t>() - from) / 1e6;
}

std::optional<double> start_budget(std::uint64_t count, std::uint32_t nodes) {
  if (nodes == 3 && count == 10'000) return 60;
  if (nodes == 3 && count == 100'000) return 600;
  return {};
}

struct Times {
  std::vector<double> agreed{};
  std::vector<double> answered{};
};

/// One call on the first node; until every registry agrees.
void measure(Cluster& cluster, const char* verb, std::uint64_t count, std::uint64_t goal, Times& times) {
  cluster.watch(goal);
  const auto answer = cluster.node(0).ask({{"do", verb}, {"count", count}});
  const auto since = answer.at("since").get<std::int64_t>();
  times.agreed.push_back(ms(since, cluster.agreed(kQuietAfterStart)));
  times.answered.push_back(ms(since, answer.at("answered")));
}

void start_and_stop(Bench& bench, std::uint64_t count, std::uint32_t nodes) {
  Cluster cluster(nodes);
  Times start;
  Times stop;
  Cluster::Census census;
  const auto runs = count >= 100'000 ? std::min(3U, bench.options().runs) : bench.options().runs;
  for (std::uint32_t run = 0; run < runs; ++run) {
    measure(cluster, "start", count, count, start);
    const auto now = cluster.census(count);
    census = {std::max(census.lost, now.lost), std::max(census.doubled, now.doubled)};
    measure(cluster, "stop", count, 0, stop);
  }
  const auto lag = cluster.node(0).ask({{"do", "memory"}}).at("lag_max_us").get<double>() / 1e3;
  const auto where = fmt::format("{} on {} node{}", count, nodes, nodes == 1 ? "" : "s");
  auto note = fmt::format("loop lag {:.0f} ms", lag);
  if (census.lost + census.doubled != 0)
    note += fmt::format(", {} LOST, {} DOUBLED", census.lost, census.doubled);
  bench.report().add(
      {"start " + where, "ms", Better::lower, start.agreed, start_budget(count, nodes), {}, note});
  bench.report().add({"start " + where + ", answered", "ms", Better::lower, start.answered, {}, {}, ""});
  bench.report().add({"stop " + where, "ms", Better::lower, stop.agreed, {}, {}, ""});
}

void look_ups(Bench& bench) {
  constexpr std::uint64_t kChildren = 10'000;
  Cluster cluster(1);
  cluster.watch(kChildren);
  cluster.node(0).ask({{"do", "start"}, {"count", kChildren}});
  cluster.agreed(kQuietAfterStart);
  for (const std::uint32_t threads : {1U, 2U}) {
    std::vector<double> times;
    for (std::uint32_t run = 0; run < bench.options().runs; ++run) {
      times.push_back(cluster.node(0)
                          .ask({{"do", "lookups"},
                                {"count", kChildren},
                                {"rounds", bench.amount(300)},
                                {"threads", threads}})
                          .at("ns"));
    }
    bench.report().add(
        {fmt::format("lookup among {}, {} thread{}", kChildren, threads, threads == 1 ? "" : "s"),
         "ns",
         Better::lower,
         times,
         25,
         {},
         "active_of, ids in random order"});
  }
}

/// The second node takes no children: it grows by the entries of the first one's.
void idle_memory(Bench& bench) {
  const auto count = static_cast<std::uint64_t>(bench.amount(100'000));
  std::vector<double> local;
  std::vector<double> remote;
  for (std::uint32_t run = 0; run < std::min(3U, bench.options().runs); ++run) {
    Cluster cluster(2, {1.0, 0.0});
    cluster.watch(count);
    cluster.watch(count);  // the first one's memory is there to be used again
    const auto bytes = [&](std::uint32_t node) {
      return cluster.node(node).ask({{"do", "memory"}}).at("bytes").get<double>();
    };
    const double before[] = {bytes(0), bytes(1)};
    cluster.node(0).ask({{"do", "start"}, {"count", count}});
    cluster.agreed(std::chrono::milliseconds(1'000));
    local.push_back((bytes(0) - before[0]) / static_cast<double>(count));
    remote.push_back((bytes(1) - before[1]) / static_cast<double>(count));
  }
  bench.report().add({"memory of an idle child",
                      "B",
                      Better::lower,
                      local,
                      400,
                      {},
                      fmt::format("growth of RssAnon with {}", count)});
  bench.report().add(
      {"memory of a remote entry", "B", Better::lower, remote, 200, {}, "on a node that runs none"});
}

}  // namespace

void add_children_cases(std::vector<Case>& cases) {
  cases.push_back({"lookup", true, look_ups});
  cases.push_back({"memory", true, idle_memory});
  for (const std::uint64_t count : {1'000U, 10'000U, 100'000U}) {
    for (const std::uint32_t nodes : {1U, 3U, 5U}) {
      cases.push_back({fmt::format("children-{}-{}", count, nodes), count <= 10'000 && nodes <= 3,
                       [=](Bench& bench) { start_and_stop(bench, count, nodes); }});
    }
  }
}

}  // namespace processhub::hub_bench
