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

#include "tools/hub-sim/report.hpp"

namespace processhub::hub_sim {
namespace {

using Clock = std::chrono::steady_clock;

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
  bool time_is_up() const { return options_.minutes > 0 && seconds() > options_.minutes * 60; }

  void work() {
    while ((options_.keep_going || !failed_) && !time_is_up()) {
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
      failures_.emplace(result.seed, *result.violation);
      clear_line();
      std::printf("seed %llu breaks %s: %s\n  replay: hub-sim --replay %llu %s\n",
                  static_cast<unsigned long long>(result.seed), result.violation->invariant.c_str(),
                  result.violation->what.c_str(), static_cast<unsigned long long>(result.seed),
                  options_.replay_flags.c_str());
    } else {
      summary_.add(result);
    }
    progress();
  }

  /// On a terminal one line that changes, else a line now and then.
  void progress() {
    const auto now = Clock::now();
    if (now - told_ < (terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10))) return;
    told_ = now;
    std::fprintf(stderr, "%s%llu/%llu seeds, %zu failed, %.0f s, %.0fx real time%s", terminal_ ? "\r" : "",
                 static_cast<unsigned long long>(played_), static_cast<unsigned long long>(options_.count),
                 failures_.size(), seconds(), speed(), terminal_ ? " " : "\n");
    std::fflush(stderr);
    line_open_ = terminal_;
  }

  void clear_line() {
    if (line_open_) std::fputc('\n', stderr);
    line_open_ = false;
  }

  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }
  double speed() const {
    return static_cast<double>(virtual_time_.count()) / 1e6 / std::max(0.001, seconds());
  }

  void summarize() {
    clear_line();
    if (time_is_up() && played_ < options_.count) std::printf("the time is up\n");
    std::printf("%llu seeds in %.1f s (%.0fx real time), %zu failed\n",
                static_cast<unsigned long long>(played_), seconds(), speed(), failures_.size());
    std::fputs(summary_.text().c_str(), stdout);
    std::map<std::string, std::size_t> by_invariant;
    for (const auto& [seed, violation] : failures_) ++by_invariant[violation.invariant];
    for (const auto& [invariant, count] : by_invariant)
      std::printf("  %s broken by %zu seeds\n", invariant.c_str(), count);
    if (!failures_.empty()) replay(failures_.begin()->first, swarm_, options_);
  }

  const sim::SwarmOptions& swarm_;
  const RunnerOptions& options_;
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point told_ = begin_;
  bool line_open_ = false;
  std::atomic<std::uint64_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_{};
  std::uint64_t played_ = 0;
  Duration virtual_time_{};
  Summary summary_{};
  std::map<std::uint64_t, sim::Violation> failures_{};
};

}  // namespace

bool run_seeds(const sim::SwarmOptions& swarm, const RunnerOptions& options) {
  return Runner(swarm, options).run();
}

}  // namespace processhub::hub_sim
