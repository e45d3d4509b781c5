// hub-sim: plays random lives of simulated clusters and stops at broken promises.
//
//   hub-sim --seeds 1000 --nodes 3..7          seeds 1 … 1000, on all cores
//   hub-sim --replay 4711                      one seed again; the end of its trace if it fails
//   hub-sim --replay 4711 --trace              the whole trace on stdout
#include <boost/program_options.hpp>
#include <cstdio>
#include <exception>
#include <optional>
#include <sstream>
#include <string>

#include <fmt/format.h>

#include "tools/hub-sim/scale_run.hpp"
#include "tools/hub-sim/seed_runner.hpp"

namespace po = boost::program_options;
using namespace processhub;

namespace {

struct Arguments {
  sim::SwarmOptions swarm{};
  hub_sim::RunnerOptions runner{};
  std::optional<std::uint64_t> replay{};
  bool trace = false;
  std::optional<hub_sim::ScaleOptions> scale{};
  bool help = false;
  std::string usage{};
};

/// "3..7" or "5".
void read_nodes(const std::string& text, sim::SwarmOptions& options) {
  const auto dots = text.find("..");
  options.nodes_min = static_cast<std::uint32_t>(std::stoul(text.substr(0, dots)));
  options.nodes_max = dots == std::string::npos
                          ? options.nodes_min
                          : static_cast<std::uint32_t>(std::stoul(text.substr(dots + 2)));
  if (options.nodes_min < 1 || options.nodes_max < options.nodes_min || options.nodes_max > 20) {
    throw std::invalid_argument("--nodes takes A..B with 1 <= A <= B <= 20");
  }
}

Arguments read_arguments(int argc, char** argv) {
  Arguments arguments;
  std::string nodes = "3..7";
  std::uint64_t replay = 0;
  double seconds = 0;
  hub_sim::ScaleOptions scale;
  po::options_description options("hub-sim plays random lives of simulated clusters");
  options.add_options()("help", "this text")                                                            //
      ("seeds", po::value(&arguments.runner.count)->default_value(1'000), "how many seeds")             //
      ("from", po::value(&arguments.runner.first)->default_value(1), "the first seed")                  //
      ("nodes", po::value(&nodes)->default_value(nodes), "how many nodes a cluster starts with, A..B")  //
      ("seconds", po::value(&seconds), "virtual seconds with faults, per seed (default: 8 to 20)")      //
      ("jobs", po::value(&arguments.runner.jobs)->default_value(0), "threads; 0: one per core")         //
      ("keep-going", po::bool_switch(&arguments.runner.keep_going),
       "do not stop at the first failing seed")  //
      ("scale", po::value(&scale.nodes),
       "one cluster of so many nodes: what boot, quiet and changes cost")  //
      ("children", po::value(&scale.children)->default_value(scale.children),
       "with --scale: of the cluster")  //
      ("synchronization", po::value(&scale.synchronization)->default_value(scale.synchronization),
       "with --scale: pubsub or gossip")               //
      ("replay", po::value(&replay), "play one seed")  //
      ("trace", po::bool_switch(&arguments.trace), "with --replay: print every event and effect");
  po::variables_map values;
  po::store(po::parse_command_line(argc, argv, options), values);
  po::notify(values);
  arguments.help = values.contains("help");
  arguments.usage = (std::ostringstream() << options).str();
  read_nodes(nodes, arguments.swarm);
  if (values.contains("scale")) arguments.scale = scale;
  if (values.contains("replay")) arguments.replay = replay;
  if (values.contains("seconds")) {
    arguments.swarm.active_min = arguments.swarm.active_max =
        Duration(static_cast<std::int64_t>(seconds * 1e6));
  }
  arguments.runner.replay_flags =
      fmt::format("--nodes {}{}", nodes, seconds > 0 ? fmt::format(" --seconds {}", seconds) : "");
  return arguments;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto arguments = read_arguments(argc, argv);
    if (arguments.help) {
      std::fputs(arguments.usage.c_str(), stdout);
      return 0;
    }
    if (arguments.scale) return hub_sim::run_scale(*arguments.scale) ? 0 : 1;
    if (arguments.replay)
      return hub_sim::replay(*arguments.replay, arguments.swarm, arguments.runner, arguments.trace) ? 0 : 1;
    return hub_sim::run_seeds(arguments.swarm, arguments.runner) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hub-sim: %s\n", error.what());
    return 2;
  }
}
