// What people are told of why a child is where it is.
#include <algorithm>

#include "core/hash.hpp"
#include "core/protocol/placement.hpp"
#include "core/protocol/report.hpp"

namespace processhub::protocol {

/// Why the node can never run it under this view; empty: it could.
std::string Placement::unable(NodeId node, const ChildSpec& kind) const {
  if (!offers_.has(node, hash64(kind.type))) return "has no worker type '" + kind.type + "'";
  if (!has_role(node, kind.requires_role)) return "lacks the role '" + kind.requires_role + "'";
  return {};
}

void Placement::explain(const Child& child, ChildReport& out) const {
  const auto& distribution = *strategies_.distribution;
  const auto& kind = *child.spec->spec.kind;
  const auto key = key_of(child);
  out.distribution = std::string(distribution.name());
  std::vector<NodeScore> scores;
  distribution.scores(key, balancer_.loads(), scores);
  const auto add = [&](NodeId node, std::string unable) {
    CandidateInfo info{std::string(node.name()), {}, {}, std::move(unable)};
    const auto scored =
        std::find_if(scores.begin(), scores.end(), [&](const NodeScore& s) { return s.node == node; });
    if (scored != scores.end()) {
      info.score = scored->score;
      info.why = scored->why;
    }
    out.candidates.push_back(std::move(info));
  };
  std::vector<NodeId> able;
  find_able(key, kind, able);
  for (const NodeId node : able) add(node, {});
  for (const auto& member : view_.members) {
    if (std::find(able.begin(), able.end(), member.id) != able.end()) continue;
    const auto why = unable(member.id, kind);
    add(member.id, why.empty() ? "is not chosen by " + out.distribution : why);
  }
  for (const auto& node : membership_.infos()) {
    const bool eligible = std::any_of(view_.members.begin(), view_.members.end(),
                                      [&](const MemberView& m) { return m.id == node.id; });
    if (!eligible && node.state != NodeState::left) add(node.id, "is " + std::string(to_string(node.state)));
  }
}

}  // namespace processhub::protocol
