#include "tools/hub-sim/scale_run.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "transport/sim/sim_cluster.hpp"

namespace processhub::hub_sim {
namespace {

using Names = std::vector<std::string>;

constexpr Duration kLook = std::chrono::milliseconds(20);   // how exactly the end of a phase is known
constexpr Duration kPatience = std::chrono::minutes(3);     // virtual
constexpr Duration kHold = std::chrono::milliseconds(500);  // what moves on in this time was not at rest
constexpr Duration kCalm = std::chrono::seconds(5);         // what follows a change is not quiet
constexpr Duration kQuiet = std::chrono::seconds(10);
constexpr std::size_t kSeeds = 3;
constexpr double kGiB = 1U << 30;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// "node-007": all of one length, so that order of name is order of number.
std::string name_of(std::uint32_t number) { return fmt::format("node-{:04}", number); }

class ScaleRun {
 public:
  explicit ScaleRun(const ScaleOptions& options) : options_(options), cluster_(setup(options)) {}

  bool run();

 private:
  static sim::ClusterOptions setup(const ScaleOptions& options);
  void boot();
  void start_children();
  /// Runs until all `groups` are at rest, each for itself, and stay so; prints what it took until then.
  bool phase(std::string_view name, const std::vector<Names>& groups);
  bool at_rest(const Names& group);
  void quiet_phase();
  /// What had been used up at a moment.
  struct Reading {
    Duration time{};
    sim::NetworkCounters network{};
    std::clock_t cpu = 0;
    std::size_t activations = 0;
  };
  Reading read() const;
  void print_row(std::string_view name, const Reading& end, bool rested);
  void begin() { before_ = read(); }

  ScaleOptions options_;
  sim::SimCluster cluster_;
  Names names_{};
  Names seeds_{};
  std::uint32_t started_ = 0;
  Reading before_{};
};

sim::ClusterOptions ScaleRun::setup(const ScaleOptions& options) {
  sim::ClusterOptions out;
  out.seed = options.seed;
  out.lean = true;
  out.config.hub_id = "scale";
  out.config.synchronization.name = options.synchronization;
  out.faults.worker_start_max = out.faults.worker_stop_max = Duration(50);
  return out;
}

void ScaleRun::boot() {
  for (std::uint32_t n = 0; n < options_.nodes; ++n) names_.push_back(name_of(n));
  seeds_.assign(names_.begin(), names_.begin() + std::min<std::ptrdiff_t>(kSeeds, options_.nodes));
  for (const auto& name : names_) cluster_.add_node(name, seeds_);
}

void ScaleRun::start_children() {
  std::vector<ChildSpec> specs;
  for (std::uint32_t n = 0; n < options_.children; ++n) {
    ChildSpec spec;
    spec.id = fmt::format("child-{}", n);
    spec.type = "counter";
    specs.push_back(std::move(spec));
  }
  StartOptions start;
  start.timeout = std::chrono::milliseconds(120'000);
  started_ = options_.children;
  cluster_.start(names_.front(), std::move(specs), start);
}

bool ScaleRun::at_rest(const Names& group) {
  const auto& first = cluster_.node(group.front()).look();
  std::uint64_t running = 0;
  for (const auto& name : group) {
    const auto& seen = cluster_.node(name).look();
    const auto up = std::count_if(seen.nodes.begin(), seen.nodes.end(),
                                  [](const NodeInfo& node) { return node.state == NodeState::up; });
    if (!seen.joined || static_cast<std::size_t>(up) != group.size()) return false;
    if (seen.digest != first.digest || seen.children_total != started_) return false;
    running += seen.children_local;
  }
  return running == started_;
}

ScaleRun::Reading ScaleRun::read() const {
  return {cluster_.now(), cluster_.network().counters(), std::clock(), cluster_.workers().activations.size()};
}

void ScaleRun::print_row(std::string_view name, const Reading& end, bool rested) {
  const auto took = end.time - before_.time;
  const auto& now = end.network;
  const auto& before = before_.network;
  const double per = static_cast<double>(names_.size()) * std::max(seconds(took), 1e-6);
  const auto messages = (now.frames - before.frames) + (now.publications - before.publications);
  const auto bytes = (now.bytes - before.bytes) + (now.publication_bytes - before.publication_bytes);
  const double cpu = static_cast<double>(end.cpu - before_.cpu) / CLOCKS_PER_SEC;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{:>5} {:>8} {:8} {:14} {:>8.2f} {:>11.1f} {:>12.0f} {:>9.2f} {:>10.3f} {:>8} {:>7.2f} {:>7.2f}{}\n",
      options_.nodes, options_.children, options_.synchronization, name, seconds(took),
      static_cast<double>(messages) / per, static_cast<double>(bytes) / per, cpu, cpu / per * 1e3,
      end.activations - before_.activations, static_cast<double>(::mallinfo2().uordblks) / kGiB,
      static_cast<double>(usage.ru_maxrss) * 1024 / kGiB, rested ? "" : "  NOT AT REST");
  std::fflush(stdout);
}

bool ScaleRun::phase(std::string_view name, const std::vector<Names>& groups) {
  const auto all_rest = [&] {
    return std::all_of(groups.begin(), groups.end(), [this](const Names& group) { return at_rest(group); });
  };
  std::optional<Reading> rested;
  while (cluster_.now() - before_.time < kPatience) {
    cluster_.run_for(kLook);
    if (!all_rest())
      rested.reset();
    else if (!rested)
      rested = read();
    else if (cluster_.now() - rested->time >= kHold)
      break;
  }
  print_row(name, rested ? *rested : read(), rested.has_value());
  return rested.has_value();
}

void ScaleRun::quiet_phase() {
  cluster_.run_for(kCalm);
  begin();
  cluster_.run_for(kQuiet);
  print_row("quiet", read(), true);
}

bool ScaleRun::run() {
  begin();
  boot();
  if (!phase("boot", {names_})) return false;
  cluster_.run_for(kCalm);
  begin();
  start_children();
  if (!phase("start children", {names_})) return false;
  quiet_phase();

  begin();
  names_.push_back(name_of(options_.nodes));
  cluster_.add_node(names_.back(), seeds_);
  if (!phase("join of one", {names_})) return false;

  begin();
  const auto victim = names_.begin() + static_cast<std::ptrdiff_t>(names_.size() / 2);
  cluster_.crash(*victim);
  names_.erase(victim);
  if (!phase("crash of one", {names_})) return false;

  begin();
  const auto middle = names_.begin() + static_cast<std::ptrdiff_t>(names_.size() / 2);
  const Names left(names_.begin(), middle);
  const Names right(middle, names_.end());
  cluster_.split(left, right);
  if (!phase("cut in half", {left, right})) return false;

  begin();
  cluster_.heal_all();
  return phase("heal", {names_});
}

}  // namespace

bool run_scale(const ScaleOptions& options) {
  fmt::print("{:>5} {:>8} {:8} {:14} {:>8} {:>11} {:>12} {:>9} {:>10} {:>8} {:>7} {:>7}\n", "nodes",
             "children", "sync", "phase", "virtual", "messages", "bytes", "CPU", "CPU", "workers", "memory",
             "peak");
  fmt::print("{:>5} {:>8} {:8} {:14} {:>8} {:>11} {:>12} {:>9} {:>10} {:>8} {:>7} {:>7}\n", "", "", "", "",
             "s", "/node/s", "/node/s", "s", "ms/node/s", "started", "GiB", "GiB");
  return ScaleRun(options).run();
}

}  // namespace processhub::hub_sim
