// One seed or plan: played again with its trace, or made as small as it can be.
#include <cstdio>
#include <fstream>
#include <functional>
#include <stdexcept>

#include <fmt/format.h>

#include "tools/hub-sim/seed_runner.hpp"
#include "transport/sim/shrink.hpp"

namespace processhub::hub_sim {
namespace {

constexpr std::size_t kTailLines = 60;
constexpr std::size_t kShrinkRuns = 3'000;

std::ofstream open_file(const std::string& path) {
  std::ofstream file(path);
  if (!file) throw std::invalid_argument("cannot write " + path);
  return file;
}

void write_plan(const sim::Plan& plan, const std::string& comment, const RunnerOptions& options) {
  if (!options.write_plan.empty()) open_file(options.write_plan) << "# " << comment << "\n" << plan.str();
}

/// Plays with the trace where it was asked for. Tells the end of the trace if it fails.
sim::SwarmResult play_traced(const std::function<sim::SwarmResult(const sim::Trace::Sink&)>& play,
                             const RunnerOptions& options) {
  std::ofstream file;
  const bool to_stdout = options.trace == "-";
  if (!options.trace.empty() && !to_stdout) file = open_file(options.trace);
  sim::TraceTail tail(to_stdout ? 0 : kTailLines);
  auto result = play([&](const std::string& line) {
    if (to_stdout) std::printf("%s\n", line.c_str());
    if (file.is_open()) file << line << "\n";
    tail.add(line);
  });
  if (result.violation) std::printf("\n%s", tail.text().c_str());
  std::printf("\n%zu operations, %zu activations, %s virtual time, trace hash %016llx\n", result.operations,
              result.activations, sim::format_duration(result.virtual_time).c_str(),
              static_cast<unsigned long long>(tail.hash()));
  return result;
}

bool tell(const sim::SwarmResult& result, const std::string& command) {
  if (!result.violation) {
    std::printf("clean; at rest %s after the last fault\n",
                sim::format_duration(result.settled_after).c_str());
    return true;
  }
  std::printf("breaks %s at %s: %s\nreplay: hub-sim %s --trace\n", result.violation->invariant.c_str(),
              sim::format_duration(result.violation->when).c_str(), result.violation->what.c_str(),
              command.c_str());
  return false;
}

}  // namespace

bool replay(std::uint64_t seed, const sim::SwarmOptions& swarm, const RunnerOptions& options) {
  const auto result =
      play_traced([&](const sim::Trace::Sink& sink) { return sim::run_swarm(seed, swarm, sink); }, options);
  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), result.setup.c_str());
  write_plan(result.plan, fmt::format("seed {}: {}", seed, result.setup), options);
  return tell(result, fmt::format("--replay {} {}", seed, options.replay_flags));
}

bool play(const sim::Plan& plan, const std::string& name, const sim::SwarmOptions& swarm,
          const RunnerOptions& options) {
  const auto result =
      play_traced([&](const sim::Trace::Sink& sink) { return sim::run_plan(plan, swarm, sink); }, options);
  return tell(result, "--plan " + name);
}

bool shrink_plan(const sim::Plan& plan, const sim::SwarmOptions& swarm, const RunnerOptions& options) {
  const auto first = sim::run_plan(plan, swarm);
  if (!first.violation) return tell(first, "");
  std::printf("breaks %s: %s\n", first.violation->invariant.c_str(), first.violation->what.c_str());
  const auto shrunk = sim::shrink(
      plan, first.violation->invariant, swarm, kShrinkRuns, [](const sim::Plan& smaller, std::size_t runs) {
        std::fprintf(stderr, "%zu runs: %zu actions\n", runs, smaller.actions.size());
      });
  const auto comment = fmt::format("breaks {} at {}: {}", shrunk.violation.invariant,
                                   sim::format_duration(shrunk.violation.when), shrunk.violation.what);
  std::printf("\n# the smallest plan found in %zu runs\n# %s\n%s", shrunk.runs, comment.c_str(),
              shrunk.plan.str().c_str());
  write_plan(shrunk.plan, comment, options);
  return false;
}

bool shrink_seed(std::uint64_t seed, const sim::SwarmOptions& swarm, const RunnerOptions& options) {
  const auto result = sim::run_swarm(seed, swarm);
  if (!result.violation) return tell(result, "");
  return shrink_plan(result.plan, swarm, options);
}

}  // namespace processhub::hub_sim
