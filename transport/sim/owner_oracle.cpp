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

std::vector<NodeId> OwnerOracle::owners(std::string_view id, const ChildSpec& kind, NodeId placement,
                                        std::span<const NodeId> placed) const {
  std::vector<NodeId> out;
  const ChildKey key{id, hash64(id), placement, kind.nodes, placed};
  const auto replicas = strategies_.redundancy->replicas(view_);
  const bool some = (replicas > 1 && zones_.matters()) || !kind.requires_role.empty();
  strategies_.distribution->owners(key, some ? view_.members.size() : replicas, out);
  if (!some) return out;
  if (!kind.requires_role.empty())
    std::erase_if(out, [&](NodeId node) { return !has_role(node, kind.requires_role); });
  zones_.choose(out, replicas);
  return out;
}

std::vector<NodeId> OwnerOracle::owners(const protocol::ChildRecord& record) const {
  const auto& kind = *record.spec->kind;
  if (!record.changes) return owners(record.spec->id, kind);
  return owners(record.spec->id, kind, record.changes->placement, record.changes->placed);
}

bool OwnerOracle::has_role(NodeId node, const std::string& role) const {
  return std::any_of(view_.members.begin(), view_.members.end(), [&](const MemberView& m) {
    return m.id == node && std::find(m.roles.begin(), m.roles.end(), role) != m.roles.end();
  });
}

}  // namespace processhub::sim
