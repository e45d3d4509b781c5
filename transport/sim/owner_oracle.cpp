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
  zones_.prepare(view_);
  strategies_.distribution->prepare(view_);
}

std::vector<Role> OwnerOracle::roles(std::string_view id, const std::vector<NodeId>& owners) const {
  std::vector<Role> out;
  ChildKey key;
  key.id = id;
  key.id_hash = hash64(id);
  for (const auto owner : owners) out.push_back(strategies_.redundancy->role_of(owner, key, owners));
  return out;
}

std::vector<NodeId> OwnerOracle::owners(std::string_view id, NodeId placement) const {
  std::vector<NodeId> out;
  ChildKey key;
  key.id = id;
  key.id_hash = hash64(id);
  key.explicit_node = placement;
  const auto replicas = strategies_.redundancy->replicas(view_);
  const bool spread = replicas > 1 && zones_.matters();
  strategies_.distribution->owners(key, spread ? view_.members.size() : replicas, out);
  if (spread) zones_.choose(out, replicas);
  return out;
}

}  // namespace processhub::sim
