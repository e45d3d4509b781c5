#include "processhub/strategy/distribution.hpp"

#include <string>

#include "core/listed.hpp"

namespace processhub {

std::string names_of(const HubView& view) {
  return listed(
      view.members, [](const MemberView& member) { return member.id.name(); }, "");
}

bool Distribution::keeps(const ChildKey&, NodeId, std::span<const NodeId>) const { return false; }

void Distribution::scores(const ChildKey&, std::span<const NodeLoad>, std::vector<NodeScore>&) const {}

Result<void> Distribution::check(const ChildSpec& spec, std::size_t, const HubView&) const {
  if (spec.nodes.empty()) return {};
  return {ErrorCode::invalid, "child '" + spec.id + "': nodes is for the distribution 'guided', not for '" +
                                  std::string(name()) + "'"};
}

}  // namespace processhub
