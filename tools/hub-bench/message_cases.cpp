// Calls and casts, local and remote, against raw ZeroMQ.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "tools/hub-bench/cases.hpp"
#include "tools/hub-bench/cluster.hpp"

namespace processhub::hub_bench {
namespace {

constexpr std::uint64_t kWorkers = 32;  // enough that each of two nodes has some

struct Pair {
  Cluster cluster{2};
  std::vector<std::string> local{};   ///< workers on node 0, the caller
  std::vector<std::string> remote{};  ///< on node 1

  Pair() {
    cluster.node(0).ask({{"do", "start_busy"}, {"count", kWorkers}});
    const auto deadline = now_ns() + 10'000'000'000LL;
    do {  // until both nodes have their share
      local = find(0);
      remote = find(1);
    } while (!complete() && now_ns() < deadline);
    if (!complete()) throw std::runtime_error("the workers are not on both nodes");
  }
  bool complete() const {
    return local.size() >= 2 && !remote.empty() && local.size() + remote.size() == kWorkers;
  }
  std::vector<std::string> find(std::uint32_t node) {
    return cluster.node(0)
        .ask({{"do", "find_on"}, {"node", Cluster::name(node)}})
        .at("ids")
        .get<std::vector<std::string>>();
  }
  const std::string& target(bool far) const { return far ? remote.at(0) : local.at(0); }
};

template <class Once>
std::vector<double> repeat(const Bench& bench, Once once) {
  std::vector<double> samples;
  for (std::uint32_t run = 0; run < bench.options().runs; ++run) samples.push_back(once());
  return samples;
}

const char* place(bool far) { return far ? "remote" : "local"; }

void blocking_call(Bench& bench, Pair& pair, bool far, const std::string& handler, bool typed) {
  double worst = 0;
  auto times = repeat(bench, [&] {
    const auto answer = pair.cluster.node(0).ask({{"do", "blocking_calls"},
                                                  {"id", pair.target(far)},
                                                  {"handler", handler},
                                                  {"typed", typed},
                                                  {"count", bench.amount(20'000)}});
    worst = std::max(worst, answer.at("p99").get<double>() / 1e3);
    return answer.at("median").get<double>() / 1e3;
  });
  Row row{fmt::format("{} call, {} handler{}", place(far), handler, typed ? "" : ", bytes"),
          "us",
          Better::lower,
          std::move(times),
          {},
          {},
          fmt::format("99 % within {:.0f} us", worst)};
  if (far) {
    row.floor = bench.floors().round_trip_us;
    row.budget = *row.floor * (handler == "inline" ? 1.2 : 1.45);
  }
  bench.report().add(std::move(row));
}

void pipelined_calls(Bench& bench, Pair& pair, bool far, const std::string& handler) {
  auto rates = repeat(bench, [&] {
    return pair.cluster.node(0)
        .ask({{"do", "pipelined_calls"},
              {"id", pair.target(far)},
              {"handler", handler},
              {"in_flight", 1'000},
              {"count", bench.amount(500'000)}})
        .at("rate")
        .get<double>();
  });
  Row row{fmt::format("{} calls, 1,000 in flight, {}", place(far), handler),
          "1/s",
          Better::higher,
          std::move(rates),
          {},
          {},
          ""};
  if (far) {
    row.floor = bench.floors().single_per_s;  // a message each, there and back: what the design's floor is
    row.budget = *row.floor * (handler == "inline" ? 0.75 : 0.5);
  }
  bench.report().add(std::move(row));
}

void casts(Bench& bench, Pair& pair, bool far) {
  auto rates = repeat(bench, [&] {
    return pair.cluster.node(0)
        .ask({{"do", "casts"},
              {"id", pair.target(far)},
              {"slot", far ? 1 : 0},
              {"count", bench.amount(2'000'000)}})
        .at("rate")
        .get<double>();
  });
  Row row{fmt::format("{} casts", place(far)),
          "1/s",
          Better::higher,
          std::move(rates),
          {},
          {},
          "one sending thread"};
  if (far) row.floor = bench.floors().casts_per_s;
  if (far) row.budget = 3e6;
  bench.report().add(std::move(row));
}

void calls(Bench& bench) {
  bench.floors();
  Pair pair;
  for (const bool far : {false, true}) {
    for (const std::string handler : {"inline", "pool"}) blocking_call(bench, pair, far, handler, true);
    blocking_call(bench, pair, far, "inline", false);
    for (const std::string handler : {"inline", "pool"}) pipelined_calls(bench, pair, far, handler);
  }
}

void cast_rates(Bench& bench) {
  bench.floors();
  Pair pair;
  for (const bool far : {false, true}) casts(bench, pair, far);
}

void between_workers(Bench& bench) {
  Pair pair;
  const auto measure = [&](const char* verb, const char* result, std::uint64_t count) {
    return repeat(bench, [&] {
      return pair.cluster.node(0)
          .ask({{"do", verb},
                {"from", pair.local.at(0)},
                {"to", pair.local.at(1)},
                {"count", bench.amount(count)}})
          .at(result)
          .get<double>();
    });
  };
  bench.report().add({"local worker to worker, casts",
                      "1/s",
                      Better::higher,
                      measure("worker_casts", "rate", 3'000'000),
                      8e6,
                      {},
                      ""});
  bench.report().add({"local worker to worker, ping-pong",
                      "us",
                      Better::lower,
                      [&] {
                        auto times = measure("ping_pong", "ns", 1'000'000);
                        for (auto& time : times) time /= 1e3;
                        return times;
                      }(),
                      0.3,
                      {},
                      "per message"});
}

}  // namespace

void add_message_cases(std::vector<Case>& cases) {
  cases.push_back({"calls", true, calls});
  cases.push_back({"casts", true, cast_rates});
  cases.push_back({"workers", true, between_workers});
}

}  // namespace processhub::hub_bench
