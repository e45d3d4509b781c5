#include "tools/hub-sim/arguments.hpp"

#include <boost/program_options.hpp>
#include <charconv>
#include <sstream>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace po = boost::program_options;

namespace processhub::hub_sim {
namespace {

constexpr std::uint32_t kMostNodes = 20;

[[noreturn]] void wrong(const std::string& option, const std::string& takes) {
  throw std::invalid_argument(fmt::format("--{} takes {}", option, takes));
}

std::uint64_t read_number(const std::string& option, const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    wrong(option, "a whole number, not '" + text + "'");
  return value;
}

std::uint32_t read_between(const std::string& option, const std::string& text, std::uint32_t least,
                           std::uint32_t most) {
  const auto value = read_number(option, text);
  if (value < least || value > most) wrong(option, fmt::format("{} to {}, not {}", least, most, value));
  return static_cast<std::uint32_t>(value);
}

double read_positive(const std::string& option, const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value > 0) || value > 1e6)
    wrong(option, "a number above 0, not '" + text + "'");
  return value;
}

/// "3..7" or "5".
void read_nodes(const std::string& text, sim::SwarmOptions& options) {
  const auto dots = text.find("..");
  const auto low = read_number("nodes", text.substr(0, dots));
  const auto high = dots == std::string::npos ? low : read_number("nodes", text.substr(dots + 2));
  if (low < 1 || high < low || high > kMostNodes)
    wrong("nodes", fmt::format("A..B with 1 <= A <= B <= {}", kMostNodes));
  options.nodes_min = static_cast<std::uint32_t>(low);
  options.nodes_max = static_cast<std::uint32_t>(high);
}

void read_faults(const std::vector<std::string>& texts, sim::SwarmOptions& options) {
  sim::Faults probe;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) wrong("fault", "NAME=VALUE, not '" + text + "'");
    options.faults.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    const auto& [name, value] = options.faults.back();
    if (auto set = probe.set(name, value); !set) throw std::invalid_argument(set.error().message);
  }
}

po::options_description described() {
  po::options_description options(
      "hub-sim plays random lives of simulated clusters and stops at the first broken promise.\n"
      "Exit code: 0 all clean, 1 a promise was broken, 2 wrong usage.\n");
  const auto text = [] { return po::value<std::string>(); };
  options.add_options()("help", "this text")                                                       //
      ("seeds", text()->default_value("1000"), "how many seeds")                                   //
      ("from", text()->default_value("1"), "the first seed")                                       //
      ("nodes", text()->default_value("3..7"), "how many nodes a cluster starts with, A..B")       //
      ("minutes", text(), "stop after so many minutes of real time, however many seeds are left")  //
      ("seconds", text(), "virtual seconds with faults, per seed (default: 8 to 20)")              //
      ("jobs", text()->default_value("0"), "threads; 0: one per core")                             //
      ("keep-going", po::bool_switch(), "do not stop at the first failing seed")                   //
      ("fault", po::value<std::vector<std::string>>()->composing(),
       "NAME=VALUE, instead of what the seeds draw; can be repeated")                         //
      ("list-faults", "the names and usual values of all fault options")                      //
      ("scale", text(), "one cluster of so many nodes: what boot, quiet and changes cost")    //
      ("children", text()->default_value("10000"), "with --scale: of the cluster")            //
      ("synchronization", text()->default_value("pubsub"), "with --scale: pubsub or gossip")  //
      ("replay", text(), "play one seed")                                                     //
      ("plan", text(), "play the plan in this file")                                          //
      ("trace", text()->implicit_value("-"),
       "print every event and effect of what is replayed, or of the first seed that fails; =FILE writes it "
       "there")                                                                            //
      ("write-plan", text(), "write the plan of what is replayed or shrunk to this file")  //
      ("shrink", text(), "find the smallest plan that breaks what this seed breaks")       //
      ("shrink-plan", text(), "the same for the plan in this file");
  return options;
}

std::string fault_list() {
  std::string out;
  for (const auto& name : sim::Faults::names())
    out += fmt::format("{}={}\n", name, sim::Faults().value(name));
  return out;
}

std::string text_of(const po::variables_map& values, const char* name) {
  return values.contains(name) ? values[name].as<std::string>() : std::string();
}

void read_runs(const po::variables_map& values, Arguments& out) {
  out.runner.count = read_number("seeds", text_of(values, "seeds"));
  out.runner.first = read_number("from", text_of(values, "from"));
  out.runner.jobs =
      static_cast<unsigned>(std::min<std::uint64_t>(read_number("jobs", text_of(values, "jobs")), 256));
  out.runner.keep_going = values["keep-going"].as<bool>();
  out.runner.trace = text_of(values, "trace");
  out.runner.write_plan = text_of(values, "write-plan");
  if (values.contains("minutes")) out.runner.minutes = read_positive("minutes", text_of(values, "minutes"));
  if (values.contains("replay")) out.replay = read_number("replay", text_of(values, "replay"));
  if (values.contains("shrink")) out.shrink = read_number("shrink", text_of(values, "shrink"));
  out.plan = text_of(values, "plan");
  out.shrink_plan = text_of(values, "shrink-plan");
  if (values.contains("scale")) {
    out.scale.emplace();
    out.scale->nodes = read_between("scale", text_of(values, "scale"), 4, 10'000);
    out.scale->children = read_between("children", text_of(values, "children"), 1, 10'000'000);
    out.scale->synchronization = text_of(values, "synchronization");
  }
  const int wishes = (out.scale ? 1 : 0) + (out.replay ? 1 : 0) + (out.shrink ? 1 : 0) +
                     (out.plan.empty() ? 0 : 1) + (out.shrink_plan.empty() ? 0 : 1);
  if (wishes > 1)
    throw std::invalid_argument("only one of --scale, --replay, --plan, --shrink and --shrink-plan");
  if (wishes == 0 && !out.runner.write_plan.empty())
    throw std::invalid_argument("--write-plan goes with --replay, --shrink or --shrink-plan");
}

}  // namespace

Arguments read_arguments(int argc, const char* const* argv) {
  Arguments out;
  const auto options = described();
  po::variables_map values;
  po::store(po::command_line_parser(argc, argv).options(options).positional({}).run(), values);
  po::notify(values);
  if (values.contains("help")) out.text = (std::ostringstream() << options).str();
  if (values.contains("list-faults")) out.text = fault_list();
  read_runs(values, out);
  const auto nodes = text_of(values, "nodes");
  read_nodes(nodes, out.swarm);
  out.runner.replay_flags = "--nodes " + nodes;
  if (values.contains("seconds")) {
    const auto seconds = text_of(values, "seconds");
    out.swarm.active_min = out.swarm.active_max =
        Duration(static_cast<std::int64_t>(read_positive("seconds", seconds) * 1e6));
    out.runner.replay_flags += " --seconds " + seconds;
  }
  if (values.contains("fault")) {
    read_faults(values["fault"].as<std::vector<std::string>>(), out.swarm);
    for (const auto& [name, value] : out.swarm.faults)
      out.runner.replay_flags += fmt::format(" --fault {}={}", name, value);
  }
  return out;
}

}  // namespace processhub::hub_sim
