#include "transport/sim/owner_oracle.hpp"

#include <algorithm>
#include <stdexcept>

#include "core/hash.hpp"
#include "strategies/builtin.hpp"

namespace processhub::sim {
namespace {

StrategySet build(const HubConfig& config, const StrategyCatalog& strategies) {
  auto catalog = builtin_strategies();
  catalog.add(strategies);
  auto set = catalog.build(config);
  if (!set) throw std::invalid_argument(set.error().message);
  return std::move(*set);
}

}  // namespace

OwnerOracle::OwnerOracle(const HubConfig& config, const StrategyCatalog& strategies)
    : strategies_(build(config, strategies)) {}

void OwnerOracle::set_members(const std::vector<OwnerNode>& members) {
  view_.members.clear();
  for (const auto& m : members) view_.members.push_back({m.id, m.weight, m.zone, m.roles});
  std::sort(view_.members.begin(), view_.members.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  view_.up_count = members.size();
  strategies_.distribution->prepare(view_);
}

std::vector<NodeId> OwnerOracle::owners(std::string_view id, const ChildSpec& kind, NodeId placement) const {
  std::vector<NodeId> out;
  const ChildKey key{id, hash64(id), placement, kind.nodes};
  const auto replicas = strategies_.redundancy->replicas(view_);
  if (kind.requires_role.empty()) {
    strategies_.distribution->owners(key, replicas, out);
    return out;
  }
  strategies_.distribution->owners(key, view_.members.size(), out);
  std::erase_if(out, [&](NodeId node) { return !has_role(node, kind.requires_role); });
  if (out.size() > replicas) out.resize(replicas);
  return out;
}

bool OwnerOracle::has_role(NodeId node, const std::string& role) const {
  return std::any_of(view_.members.begin(), view_.members.end(), [&](const MemberView& m) {
    return m.id == node && std::find(m.roles.begin(), m.roles.end(), role) != m.roles.end();
  });
}

}  // namespace processhub::sim
