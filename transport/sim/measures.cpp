#include "transport/sim/measures.hpp"

#include <algorithm>

namespace processhub::sim {
namespace {

double seconds(Duration d) { return static_cast<double>(d.count()) / 1e6; }

bool believes_up(const SimNode& node, NodeId other) {
  const auto& nodes = node.cluster().nodes;
  return std::any_of(nodes.begin(), nodes.end(), [other](const NodeInfo& info) {
    return info.id == other && info.state != NodeState::down && info.state != NodeState::left;
  });
}

std::vector<OwnerNode> running(const SimCluster& cluster, NodeId without) {
  std::vector<OwnerNode> out;
  for (const auto* node : cluster.running_nodes()) {
    if (node->id() != without)
      out.push_back({node->id(), node->config().weight, node->config().zone, node->config().roles});
  }
  return out;
}

}  // namespace

Measures::Measures(SimCluster& cluster) : cluster_(cluster), oracle_(cluster.config()) {
  cluster.observe(*this);
}

void Measures::on_life(const SimNode& node) {
  if (node.life() == NodeLife::paused) return;
  if (node.running()) {
    if (alive_since_.emplace(node.id(), cluster_.now()).second) count_needed_moves();
    return;
  }
  if (const auto since = alive_since_.find(node.id()); since != alive_since_.end()) {
    node_seconds_ += seconds(cluster_.now() - since->second);
    alive_since_.erase(since);
  }
  for (auto& death : deaths_) death.unaware.erase(node.id());
  count_needed_moves();
  if (node.life() != NodeLife::crashed) return;
  ++noticed_.crashes;
  begin_death(node);
}

/// Owners before and after this start or end of a node, of all children that the best informed node knows.
void Measures::count_needed_moves() {
  const SimNode* best = nullptr;
  for (const auto* node : cluster_.running_nodes()) {
    if (best == nullptr || node->registry().size() > best->registry().size()) best = node;
  }
  if (best == nullptr || best->registry().empty()) return;
  oracle_.set_members(running(cluster_, {}));
  for (const auto& [id, record] : best->registry()) {
    if (record->instances.empty()) continue;
    const auto owners = oracle_.owners(id);
    for (const auto& instance : record->instances) {
      if (std::find(owners.begin(), owners.end(), instance.ref.node) == owners.end()) ++moves_needed_;
    }
  }
}

void Measures::begin_death(const SimNode& node) {
  Death death{node.id(), cluster_.now(), false, {}};
  for (const auto* other : cluster_.running_nodes()) {
    if (believes_up(*other, node.id())) death.unaware.insert(other->id());
  }
  if (!death.unaware.empty()) deaths_.push_back(std::move(death));
}

void Measures::on_turn(const SimNode& node) {
  if (deaths_.empty()) return;
  for (auto& death : deaths_) {
    if (!death.unaware.contains(node.id()) || believes_up(node, death.node)) continue;
    death.unaware.erase(node.id());
    const auto after = cluster_.now() - death.at;
    if (!std::exchange(death.noticed, true)) noticed_.first_noticed.push_back(after);
    if (death.unaware.empty()) noticed_.all_noticed.push_back(after);
  }
  std::erase_if(deaths_, [](const Death& death) { return death.unaware.empty(); });
}

RunMeasures Measures::result() const {
  auto out = noticed_;
  out.node_seconds = node_seconds_;
  for (const auto& [node, since] : alive_since_) out.node_seconds += seconds(cluster_.now() - since);
  const auto& traffic = cluster_.network().counters();
  out.messages = traffic.frames + traffic.publications;
  out.bytes = traffic.bytes + traffic.publication_bytes;
  for (const auto& activation : cluster_.workers().activations) {
    const bool moved = activation.reason == StartReason::move || activation.reason == StartReason::takeover;
    out.moves += moved ? 1 : 0;
  }
  out.moves_needed = moves_needed_;
  return out;
}

}  // namespace processhub::sim
