// hub-sim: plays random lives of simulated clusters and stops at broken promises.
//
//   hub-sim --seeds 10000 --nodes 3..9 --minutes 5     on all cores, until the first seed that fails
//   hub-sim --replay 4711 --trace                      one seed again, with its whole trace
//   hub-sim --shrink 4711 --write-plan small.plan      the smallest plan that still breaks the same
//   hub-sim --plan small.plan                          plays it
#include <cstdio>
#include <exception>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tools/hub-sim/arguments.hpp"

using namespace processhub;

namespace {

sim::Plan read_plan(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::invalid_argument("cannot read " + path);
  auto plan = sim::Plan::parse((std::ostringstream() << file.rdbuf()).str());
  if (!plan) throw std::invalid_argument(path + ": " + plan.error().message);
  return std::move(*plan);
}

bool carry_out(const hub_sim::Arguments& arguments) {
  const auto& swarm = arguments.swarm;
  const auto& runner = arguments.runner;
  if (arguments.scale) return hub_sim::run_scale(*arguments.scale);
  if (arguments.replay) return hub_sim::replay(*arguments.replay, swarm, runner);
  if (arguments.shrink) return hub_sim::shrink_seed(*arguments.shrink, swarm, runner);
  if (!arguments.plan.empty()) return hub_sim::play(read_plan(arguments.plan), arguments.plan, swarm, runner);
  if (!arguments.shrink_plan.empty())
    return hub_sim::shrink_plan(read_plan(arguments.shrink_plan), swarm, runner);
  return hub_sim::run_seeds(swarm, runner);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto arguments = hub_sim::read_arguments(argc, argv);
    if (!arguments.text.empty()) {
      std::fputs(arguments.text.c_str(), stdout);
      return 0;
    }
    return carry_out(arguments) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hub-sim: %s\n", error.what());
    return 2;
  }
}
