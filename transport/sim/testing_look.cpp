// testing::Cluster: looking at what nodes know and at what is really so.
#include <algorithm>

#include "core/runtime/registry_view.hpp"
#include "transport/sim/testing_impl.hpp"

namespace processhub::testing {

// -- what one node knows

std::vector<NodeInfo> Cluster::nodes(std::string_view seen_by) const {
  const auto& node = impl_->node(seen_by);
  return node.running() ? node.cluster().nodes : std::vector<NodeInfo>();
}

std::vector<std::string> Cluster::up_nodes(std::string_view seen_by) const {
  const auto& node = impl_->node(seen_by);
  std::vector<std::string> out;
  if (!node.running()) return out;
  for (const auto id : node.believed_up()) out.emplace_back(id.name());
  return out;
}

std::optional<ChildInfo> Cluster::lookup(std::string_view seen_by, const std::string& id) const {
  const auto& node = impl_->node(seen_by);
  const auto found = node.registry().find(id);
  if (!node.running() || found == node.registry().end()) return {};
  return runtime::to_info(*found->second);
}

std::vector<ChildInfo> Cluster::list(std::string_view seen_by) const {
  const auto& node = impl_->node(seen_by);
  std::vector<ChildInfo> out;
  if (!node.running()) return out;
  for (const auto& [id, record] : node.registry()) out.push_back(runtime::to_info(*record));
  return out;
}

HubStats Cluster::stats(std::string_view name) const {
  const auto& node = impl_->node(name);
  if (!node.running()) return {};
  auto stats = node.stats();
  stats.dead_letters += node.workers().dead_letters();
  return stats;
}

// -- what is really so

std::vector<std::string> Cluster::runs_on(std::string_view id) const {
  std::vector<std::string> out;
  for (const auto* node : impl_->cluster.running_nodes()) {
    node->workers().each([&](const sim::Activation& a, bool up) {
      if (up && a.id == id) out.push_back(node->name());
    });
  }
  return out;
}

std::vector<std::string> Cluster::children_on(std::string_view name) const {
  std::vector<std::string> out;
  const auto& node = impl_->node(name);
  if (!node.running()) return out;
  node.workers().each([&](const sim::Activation& a, bool up) {
    if (up) out.push_back(a.id);
  });
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> Cluster::owners_of(std::string_view id, std::string_view seen_from) const {
  if (!seen_from.empty()) impl_->node(seen_from);
  std::vector<std::string> out;
  for (const auto& component : sim::components(impl_->cluster)) {
    const bool asked = std::any_of(component.begin(), component.end(), [&](const sim::SimNode* node) {
      return seen_from.empty() || node->name() == seen_from;
    });
    if (!asked) continue;
    sim::OwnerOracle oracle(impl_->cluster.config(), impl_->cluster.strategies());
    std::vector<sim::OwnerNode> members;
    for (const auto* node : component) {
      const auto& config = node->config();
      members.push_back({node->id(), config.weight, config.zone, config.roles});
    }
    oracle.set_members(members);
    const auto& registry = component.front()->registry();
    const auto known = registry.find(std::string(id));
    const auto owners = known != registry.end() ? oracle.owners(*known->second) : oracle.owners(id);
    for (const auto owner : owners) out.emplace_back(owner.name());
    break;
  }
  return out;
}

std::string Cluster::owner_of(std::string_view id, std::string_view seen_from) const {
  const auto owners = owners_of(id, seen_from);
  return owners.empty() ? std::string() : owners.front();
}

Worker* Cluster::instance(std::string_view id, std::string_view on) const {
  if (!on.empty()) impl_->node(on);
  Worker* found = nullptr;
  Generation newest{};
  for (const auto* node : impl_->cluster.running_nodes()) {
    if (!on.empty() && node->name() != on) continue;
    node->workers().each([&](const sim::Activation& a, bool up) {
      const bool wanted = up && a.id == id && (!on.empty() || a.role != Role::passive);
      if (!wanted || (found != nullptr && a.generation < newest)) return;
      found = node->workers().instance(a.serial);
      newest = a.generation;
    });
  }
  return found;
}

}  // namespace processhub::testing
