// testing::Cluster: nodes, network, time and verdicts.
#include <algorithm>
#include <ostream>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "transport/sim/testing_impl.hpp"

namespace processhub::testing {
namespace {

/// A cluster in order for this long is taken to be quiet; longer than two heartbeats.
constexpr Duration kSteady = std::chrono::milliseconds(500);

std::string text(const sim::Violation& violation) { return violation.invariant + ": " + violation.what; }

}  // namespace

std::ostream& operator<<(std::ostream& out, const Verdict& verdict) {
  return out << (verdict ? "fine" : verdict.str());
}

Cluster::Cluster(ClusterOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Cluster::~Cluster() = default;

// -- nodes

void Cluster::add_node(const std::string& name, const std::function<void(HubConfig&)>& adjust) {
  impl_->only_outside("add_node");
  impl_->add_node(name, impl_->running_names(), adjust);
}

void Cluster::add_nodes(const std::vector<std::string>& names) {
  impl_->only_outside("add_nodes");
  auto seeds = impl_->running_names();
  seeds.insert(seeds.end(), names.begin(), names.end());
  for (const auto& name : names) impl_->add_node(name, seeds, {});
}

void Cluster::add_client(const std::string& name) {
  impl_->only_outside("add_client");
  impl_->cluster.add_client(name, impl_->running_names());
}

void Cluster::crash(std::string_view node) {
  impl_->only_outside("crash");
  impl_->cluster.crash(impl_->node(node).name());
}

void Cluster::vanish(std::string_view node) {
  impl_->only_outside("vanish");
  impl_->cluster.crash(impl_->node(node).name(), sim::SimNetwork::Detach::silent);
}

void Cluster::restart(std::string_view node) {
  impl_->only_outside("restart");
  impl_->cluster.restart(impl_->node(node).name());
}

void Cluster::pause(std::string_view node) {
  impl_->only_outside("pause");
  impl_->cluster.pause(impl_->node(node).name());
}

void Cluster::resume(std::string_view node) {
  impl_->only_outside("resume");
  impl_->cluster.resume(impl_->node(node).name());
}

bool Cluster::runs(std::string_view node) const { return impl_->node(node).running(); }

// -- network

void Cluster::cut(std::string_view a, std::string_view b) {
  impl_->cluster.cut_both(impl_->node(a).name(), impl_->node(b).name());
}

void Cluster::cut_one_way(std::string_view from, std::string_view to) {
  impl_->cluster.cut(impl_->node(from).name(), impl_->node(to).name());
}

void Cluster::split(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  for (const auto& name : left) impl_->node(name);
  for (const auto& name : right) impl_->node(name);
  impl_->cluster.split(left, right);
}

void Cluster::heal() { impl_->cluster.heal_all(); }

void Cluster::heal(std::string_view a, std::string_view b) {
  impl_->cluster.heal(impl_->node(a).name(), impl_->node(b).name());
}

void Cluster::faults(std::string_view settings) { impl_->set_faults(settings); }

// -- time

Time Cluster::now() const { return impl_->cluster.now(); }

void Cluster::run_for(Duration duration) {
  impl_->only_outside("run_for");
  impl_->cluster.run_for(duration);
}

bool Cluster::run_until(const std::function<bool()>& done, Duration limit) {
  impl_->only_outside("run_until");
  return impl_->cluster.run_until(done, limit);
}

Verdict Cluster::settle(Duration limit) {
  impl_->only_outside("settle");
  auto& sim = impl_->cluster;
  if (auto found = impl_->quiet.wait(limit, kSteady)) {
    if (!sim.violations().empty()) return Verdict(text(*found));
    return Verdict(fmt::format("not quiet after {}: {}", sim::format_duration(limit), text(*found)));
  }
  if (sim::components(sim).size() > 1) return {};  // what one part knows the other need not
  const auto lost = impl_->quiet.lost_fact();
  return lost ? Verdict(text(*lost)) : Verdict();
}

void Cluster::wait(const std::function<bool()>& ready, Duration timeout) {
  impl_->only_outside("a request that waits");
  // The hub has its own deadline; one that misses it breaks a promise (I6).
  if (impl_->cluster.run_until(ready, timeout + 2 * sim::SafetyChecks::kAnswerSlack)) return;
  impl_->safety.check_overdue();
}

Error Cluster::unanswered(std::string_view what, std::string_view node) const {
  if (!impl_->cluster.violations().empty()) {
    return {ErrorCode::unknown, fmt::format("{} on {}: time stands still since {}", what, node,
                                            text(impl_->cluster.violations().front()))};
  }
  const bool paused = impl_->node(node).life() == sim::NodeLife::paused;
  return {ErrorCode::timeout,
          fmt::format("{} on {}: no answer{}", what, node, paused ? ", the node is paused" : "")};
}

// -- when something is wrong

Verdict Cluster::check() const {
  impl_->safety.check_overdue();
  const auto& broken = impl_->cluster.violations();
  return broken.empty() ? Verdict() : Verdict(text(broken.front()));
}

const std::vector<Violation>& Cluster::violations() const {
  const auto& broken = impl_->cluster.violations();
  for (auto at = impl_->violations.size(); at < broken.size(); ++at)
    impl_->violations.push_back({broken[at].when, broken[at].invariant, broken[at].what});
  return impl_->violations;
}

std::string Cluster::trace(std::size_t lines) const {
  auto all = impl_->tail.text();
  auto begin = all.size();
  for (std::size_t found = 0; begin > 0; --begin) {
    if (all[begin - 1] == '\n' && found++ == lines) break;
  }
  return all.substr(begin);
}

std::uint64_t Cluster::trace_hash() const { return impl_->tail.hash(); }

}  // namespace processhub::testing
