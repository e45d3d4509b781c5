#include "transport/sim/sim_cluster.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/hash.hpp"
#include "core/protocol/spec_pool.hpp"
#include "transport/sim/next_version.hpp"
#include "transport/sim/sim_worker.hpp"

namespace processhub::sim {

using namespace protocol;

SimCluster::SimCluster(ClusterOptions options)
    : options_(std::move(options)),
      faults_(options_.faults),
      rng_(options_.seed),
      network_(scheduler_, rng_.fork(), faults_) {
  if (!options_.make_core) options_.make_core = hub_core_factory(options_.strategies);
  if (!options_.make_workers) options_.make_workers = synthetic_workers();
  if (options_.lean) specs_ = std::make_shared<protocol::SpecPool>();
  make_next_core_ = next_version_cores(options_.make_core);
}

SimCluster::~SimCluster() = default;

// -- time

void SimCluster::run_for(Duration duration) {
  const auto limit = now() + duration;
  while (violations_.empty() && scheduler_.run_next(limit)) continue;
}

bool SimCluster::run_until(const std::function<bool()>& done, Duration limit) {
  const auto end = now() + limit;
  while (violations_.empty()) {
    if (done()) return true;
    if (!scheduler_.run_next(end)) return violations_.empty() && done();
  }
  return false;
}

// -- nodes

Duration SimCluster::clock_offset() { return rng_.between(Duration(0), options_.clock_spread); }

SimNode& SimCluster::add_node(const std::string& name, const std::vector<std::string>& seeds,
                              const std::string& host, const std::function<void(HubConfig&)>& adjust,
                              std::uint64_t life) {
  auto config = options_.config;
  config.seeds.clear();
  for (const auto& seed : seeds) config.seeds.push_back(router_endpoint(seed));
  if (adjust) adjust(config);
  const auto& make_core = next_version_.contains(name) ? make_next_core_ : options_.make_core;
  const SimNode::Services services{scheduler_, network_,      faults_, log_, make_core, options_.make_workers,
                                   *this,      options_.lean, specs_};
  auto& slot = nodes_[name];
  if (slot) retired_.push_back(std::move(slot));
  slot =
      std::make_unique<SimNode>(services, name, host.empty() ? name : host, std::move(config), rng_.fork());
  note("boot " + name);
  auto& lives = lives_[name];
  lives = life != 0 ? life : lives + 1;
  slot->boot(lives, clock_offset());
  return *slot;
}

void SimCluster::add_client(const std::string& name, const std::vector<std::string>& nodes) {
  if (has_node(name)) throw std::invalid_argument(fmt::format("'{}' is the name of a node", name));
  note("client " + name);
  // Its luck is its own: nodes have the same with and without clients.
  clients_[name] =
      std::make_unique<SimClient>(scheduler_, network_, name, nodes, Rng(options_.seed ^ hash64(name)));
}

SimNode& SimCluster::node(std::string_view name) {
  auto found = nodes_.find(name);
  if (found == nodes_.end()) throw std::invalid_argument(fmt::format("there is no node '{}'", name));
  return *found->second;
}

std::vector<const SimNode*> SimCluster::nodes() const {
  std::vector<const SimNode*> out;
  for (const auto& [name, node] : nodes_) out.push_back(node.get());
  return out;
}

std::vector<const SimNode*> SimCluster::running_nodes() const {
  std::vector<const SimNode*> out;
  for (const auto& [name, node] : nodes_) {
    if (node->running()) out.push_back(node.get());
  }
  return out;
}

const SimNode* SimCluster::find(NodeId id) const {
  auto found = nodes_.find(id.name());
  return found != nodes_.end() && found->second->running() && found->second->id() == id ? found->second.get()
                                                                                        : nullptr;
}

// -- faults

void SimCluster::note(const std::string& text) {
  for (auto* observer : observers_) observer->on_note(text);
}

void SimCluster::crash(std::string_view name, SimNetwork::Detach how) {
  note(fmt::format("{} {}", how == SimNetwork::Detach::silent ? "vanish" : "crash", name));
  node(name).crash(how);
}

void SimCluster::restart(std::string_view name) {
  note(fmt::format("restart {}", name));
  auto& target = node(name);
  target.crash(SimNetwork::Detach::closed);
  target.boot(++lives_.find(name)->second, clock_offset());
}

void SimCluster::pause(std::string_view name) {
  note(fmt::format("pause {}", name));
  node(name).pause();
}

void SimCluster::resume(std::string_view name) {
  note(fmt::format("resume {}", name));
  node(name).resume();
}

void SimCluster::slow(std::string_view name, Duration slowness) {
  note(fmt::format("slow {} {}", name, format_duration(slowness)));
  node(name).slow(slowness);
}

void SimCluster::jump_clock(std::string_view name, Duration ahead) {
  note(fmt::format("clock of {} jumps {}", name, format_duration(ahead)));
  node(name).jump_clock(ahead);
}

/// Of a node that took over another's address, that address.
HostId SimCluster::host_of(std::string_view name) {
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? network_.host(name) : found->second->host();
}

void SimCluster::cut(std::string_view from, std::string_view to) {
  note(fmt::format("cut {} -> {}", from, to));
  network_.cut(host_of(from), host_of(to));
}

void SimCluster::cut_both(std::string_view a, std::string_view b) {
  note(fmt::format("cut {} - {}", a, b));
  network_.cut(host_of(a), host_of(b));
  network_.cut(host_of(b), host_of(a));
}

void SimCluster::split(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  note(fmt::format("split {} | {}", fmt::join(left, " "), fmt::join(right, " ")));
  for (const auto& a : left) {
    for (const auto& b : right) {
      network_.cut(host_of(a), host_of(b));
      network_.cut(host_of(b), host_of(a));
    }
  }
}

void SimCluster::heal(std::string_view a, std::string_view b) {
  note(fmt::format("heal {} - {}", a, b));
  network_.heal(host_of(a), host_of(b));
  network_.heal(host_of(b), host_of(a));
}

void SimCluster::heal_all() {
  note("heal");
  network_.heal_all();
}

// -- what happened

void SimCluster::report(std::string invariant, std::string what) {
  note(fmt::format("VIOLATION of {}: {}", invariant, what));
  violations_.push_back({now(), std::move(invariant), std::move(what)});
}

void SimCluster::on_event(const SimNode& node, const Event& event) {
  for (auto* observer : observers_) observer->on_event(node, event);
}

void SimCluster::on_turn(const SimNode& node) {
  for (auto* observer : observers_) observer->on_turn(node);
}

void SimCluster::on_life(const SimNode& node) {
  if (!node.running()) {
    for (auto& operation : operations_) {
      if (operation.node == node.id() && !operation.done()) operation.node_lost = true;
    }
  }
  for (auto* observer : observers_) observer->on_life(node);
}

void SimCluster::on_effect(const SimNode& node, const Effect& effect) {
  for (auto* observer : observers_) observer->on_effect(node, effect);
  if (const auto* start = std::get_if<effect::CompleteStart>(&effect)) {
    complete(node, start->token, start->result,
             [](Operation& op, const StartResult& value) { op.started = value; });
  } else if (const auto* stop = std::get_if<effect::CompleteStop>(&effect)) {
    complete(node, stop->token, stop->result,
             [](Operation& op, const StopResult& value) { op.stopped = value; });
  } else if (const auto* call = std::get_if<effect::CompleteCall>(&effect)) {
    if (call->token & kWorkerCall) return;
    complete(node, call->token, call->result, [](Operation& op, const Bytes& value) { op.answer = value; });
  } else if (const auto* lock = std::get_if<effect::CompleteLock>(&effect)) {
    complete(node, lock->token, lock->result, [](Operation& op, std::uint64_t value) { op.lock = value; });
  } else if (const auto* other = std::get_if<effect::CompleteVoid>(&effect)) {
    const auto result = other->result ? Result<bool>(true) : Result<bool>(other->result.error());
    complete(node, other->token, result, [](Operation&, bool) {});
  }
}

template <class Value, class Keep>
void SimCluster::complete(const SimNode& node, Token token, const Result<Value>& result, Keep keep) {
  auto* operation = open_operation(node, token);
  if (operation == nullptr)
    return report("I6", fmt::format("{} answered token {} that nobody holds", node.id().str(), token));
  if (++operation->completions > 1) {
    return report("I6", fmt::format("{} #{} on {} was answered {} times", to_string(operation->kind),
                                    operation->number, node.id().str(), operation->completions));
  }
  operation->completed = now();
  operation->paused_after = node.paused_for();
  if (result) {
    keep(*operation, *result);
  } else {
    operation->error = result.error();
  }
  for (auto* observer : observers_) observer->on_completed(*operation);
}

Operation* SimCluster::open_operation(const SimNode& node, Token token) {
  auto found = tokens_.find({node.id(), token});
  return found == tokens_.end() ? nullptr : &operations_[found->second];
}

}  // namespace processhub::sim
