#include "transport/sim/testing_impl.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/hash.hpp"
#include "strategies/builtin.hpp"

namespace processhub::testing {
namespace {

protocol::OfferedTypes offered(const WorkerTypes& types) {
  std::vector<std::uint64_t> out;
  for (const auto& name : types.names()) out.push_back(hash64(name));
  std::sort(out.begin(), out.end());
  return out;
}

sim::ClusterOptions simulated(ClusterOptions& options, std::shared_ptr<sim::HostedClasses> classes) {
  if (!options.types.error().empty()) throw std::invalid_argument(options.types.error());
  sim::ClusterOptions out;
  out.seed = options.seed;
  out.make_core = sim::hub_core_factory(options.strategies, offered(options.types));
  classes->types = std::move(options.types);
  out.make_workers = sim::hosted_workers(std::move(classes));
  out.strategies = std::move(options.strategies);
  out.config = std::move(options.config);
  if (out.config.name.empty()) out.config.name = "node";
  // The kit's own network: addresses and keys of a real one mean nothing here.
  out.config.listen.clear();
  out.config.pub_listen.clear();
  out.config.advertise.clear();
  out.config.pub_advertise.clear();
  out.config.seeds.clear();
  out.config.security = {};
  return out;
}

}  // namespace

Error node_gone(const std::string& name, std::string_view how) {
  return {ErrorCode::stopped, fmt::format("node '{}' does not run: {}", name, how)};
}

Cluster::Impl::Impl(ClusterOptions options)
    : classes(std::make_shared<sim::HostedClasses>()),
      cluster(simulated(options, classes)),
      tail(options.trace_lines),
      safety(cluster),
      quiet((check_config(cluster.config()), cluster), safety) {
  if (options.trace_lines > 0) trace.emplace(cluster, [this](const std::string& line) { tail.add(line); });
  cluster.observe(*this);
  set_faults(options.faults);
}

Cluster::Impl::~Impl() = default;

void Cluster::Impl::check_config(const HubConfig& config) const {
  if (auto fine = config.validate(); !fine) throw std::invalid_argument("config: " + fine.error().message);
  auto catalog = builtin_strategies();
  catalog.add(cluster.strategies());
  if (auto built = catalog.build(config); !built) throw std::invalid_argument(built.error().message);
}

sim::SimNode& Cluster::Impl::node(std::string_view name) {
  if (cluster.has_node(name)) return cluster.node(name);
  std::vector<std::string> names;
  for (const auto* node : cluster.nodes()) names.push_back(node->name());
  throw std::invalid_argument(fmt::format("there is no node '{}'; there are: {}", name,
                                          names.empty() ? "none" : fmt::format("{}", fmt::join(names, " "))));
}

void Cluster::Impl::only_outside(std::string_view what) const {
  if (classes->inside == 0) return;
  throw std::logic_error(fmt::format("processhub::testing: {} inside a worker's turn", what));
}

std::optional<Error> Cluster::Impl::cannot_ask(std::string_view name) {
  if (cluster.has_client(name)) return {};
  const auto& asked = node(name);
  if (asked.running()) return {};
  auto how = std::string(to_string(asked.life()));
  if (!asked.why_terminated().empty()) how += ", " + asked.why_terminated();
  return node_gone(asked.name(), how);
}

std::vector<std::string> Cluster::Impl::running_names() const {
  std::vector<std::string> out;
  for (const auto* node : cluster.running_nodes()) out.push_back(node->name());
  return out;
}

void Cluster::Impl::add_node(const std::string& name, const std::vector<std::string>& seeds,
                             const std::function<void(HubConfig&)>& adjust) {
  if (cluster.has_node(name)) {
    throw std::invalid_argument(
        fmt::format("there is a node '{}' already; restart() gives it a new life", name));
  }
  auto config = cluster.config();
  if (adjust) adjust(config);
  config.name = name;
  check_config(config);
  cluster.add_node(name, seeds, {}, [&](HubConfig& own) {
    if (adjust) adjust(own);
    own.name = name;
  });
}

void Cluster::Impl::set_faults(std::string_view settings) {
  std::istringstream words{std::string(settings)};
  auto faults = cluster.faults();
  for (std::string word; words >> word;) {
    const auto is = word.find('=');
    if (is == std::string::npos)
      throw std::invalid_argument(fmt::format("faults: write name=value, not '{}'", word));
    if (auto set = faults.set(word.substr(0, is), word.substr(is + 1)); !set) {
      throw std::invalid_argument(fmt::format("faults: {}; there are: {}", set.error().message,
                                              fmt::join(sim::Faults::names(), " ")));
    }
  }
  cluster.faults() = faults;
}

// -- answers

void Cluster::Impl::expect(const sim::Operation& operation, Done done) {
  open_.emplace(operation.number, std::move(done));
}

void Cluster::Impl::on_completed(const sim::Operation& operation) {
  if (auto waiting = open_.extract(operation.number)) waiting.mapped()(&operation);
}

void Cluster::Impl::on_life(const sim::SimNode& node) {
  if (node.running()) return;
  for (auto it = open_.begin(); it != open_.end();) {
    if (!cluster.operations()[it->first - 1].node_lost) {
      ++it;
      continue;
    }
    it->second(nullptr);
    it = open_.erase(it);
  }
}

}  // namespace processhub::testing
