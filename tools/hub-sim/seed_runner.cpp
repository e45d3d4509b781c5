#include "tools/hub-sim/seed_runner.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

namespace processhub::hub_sim {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kTailLines = 60;

class Runner {
 public:
  Runner(const sim::SwarmOptions& swarm, const RunnerOptions& options) : swarm_(swarm), options_(options) {}

  bool run() {
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < (options_.jobs == 0 ? cores : options_.jobs); ++i)
      threads.emplace_back([this] { work(); });
    for (auto& thread : threads) thread.join();
    summarize();
    return failures_.empty();
  }

 private:
  void work() {
    while (options_.keep_going || !failed_) {
      const auto index = next_++;
      if (index >= options_.count) return;
      record(sim::run_swarm(options_.first + index, swarm_));
    }
  }

  void record(const sim::SwarmResult& result) {
    const std::lock_guard lock(mutex_);
    ++played_;
    virtual_time_ += result.virtual_time;
    if (result.violation) {
      failed_ = true;
      failures_[result.seed] = result;
      ++by_invariant_[result.violation->invariant];
      std::printf("seed %llu breaks %s: %s\n", static_cast<unsigned long long>(result.seed),
                  result.violation->invariant.c_str(), result.violation->what.c_str());
    } else {
      settled_.push_back(result.settled_after);
    }
    progress();
  }

  void progress() {
    if (isatty(STDERR_FILENO) == 0) return;
    std::fprintf(stderr, "\r%llu/%llu seeds, %zu failed, %.0fx real time ",
                 static_cast<unsigned long long>(played_), static_cast<unsigned long long>(options_.count),
                 failures_.size(), speed());
  }

  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }
  double speed() const {
    return static_cast<double>(virtual_time_.count()) / 1e6 / std::max(0.001, seconds());
  }

  void summarize() {
    if (isatty(STDERR_FILENO) != 0) std::fputc('\n', stderr);
    std::sort(settled_.begin(), settled_.end());
    const auto at = [this](std::size_t percent) {
      return settled_.empty() ? std::string("-")
                              : sim::format_duration(settled_[(settled_.size() - 1) * percent / 100]);
    };
    std::printf(
        "%llu seeds in %.1f s (%.0fx real time), %zu failed; at rest after %s (median), %s (99 %%), %s "
        "(longest)\n",
        static_cast<unsigned long long>(played_), seconds(), speed(), failures_.size(), at(50).c_str(),
        at(99).c_str(), at(100).c_str());
    for (const auto& [invariant, count] : by_invariant_) std::printf("  %s: %zu\n", invariant.c_str(), count);
    if (!failures_.empty()) replay(failures_.begin()->first, swarm_, options_, false);
  }

  const sim::SwarmOptions& swarm_;
  const RunnerOptions& options_;
  const Clock::time_point begin_ = Clock::now();
  std::atomic<std::uint64_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_{};
  std::uint64_t played_ = 0;
  Duration virtual_time_{};
  std::vector<Duration> settled_{};
  std::map<std::uint64_t, sim::SwarmResult> failures_{};
  std::map<std::string, std::size_t> by_invariant_{};
};

}  // namespace

bool run_seeds(const sim::SwarmOptions& swarm, const RunnerOptions& options) {
  return Runner(swarm, options).run();
}

bool replay(std::uint64_t seed, const sim::SwarmOptions& swarm, const RunnerOptions& options, bool trace) {
  sim::TraceTail tail(trace ? 0 : kTailLines);
  const auto result = sim::run_swarm(seed, swarm, [&](const std::string& line) {
    if (trace) std::printf("%s\n", line.c_str());
    tail.add(line);
  });
  if (!trace && result.violation) std::printf("\n%s", tail.text().c_str());
  const auto number = static_cast<unsigned long long>(seed);
  std::printf("\nseed %llu: %s\n%zu operations, %zu activations, %s virtual time, trace hash %016llx\n",
              number, result.setup.c_str(), result.operations, result.activations,
              sim::format_duration(result.virtual_time).c_str(),
              static_cast<unsigned long long>(tail.hash()));
  if (!result.violation) {
    std::printf("clean; at rest %s after the last fault\n",
                sim::format_duration(result.settled_after).c_str());
    return true;
  }
  std::printf("breaks %s at %s: %s\nreplay: hub-sim --replay %llu %s --trace\n",
              result.violation->invariant.c_str(), sim::format_duration(result.violation->when).c_str(),
              result.violation->what.c_str(), number, options.replay_flags.c_str());
  return false;
}

}  // namespace processhub::hub_sim
