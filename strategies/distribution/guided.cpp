#include "strategies/distribution/guided.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

namespace processhub {
namespace {

class Guided final : public Distribution {
 public:
  std::string_view name() const override { return "guided"; }

  void prepare(const HubView& view) override {
    by_name_.clear();
    for (const auto& member : view.members) by_name_.emplace(member.id.name(), member.id);
  }

  Result<void> check(const ChildSpec& spec, std::size_t replicas, const HubView& view) const override {
    const auto wrong = [&](const std::string& text) -> Result<void> {
      return {ErrorCode::invalid, "child '" + spec.id + "': nodes: " + text};
    };
    if (spec.nodes.empty()) return wrong("missing; the distribution 'guided' must be told where it belongs");
    // A cluster that has fewer nodes than copies are wanted takes what there is.
    const auto copies = view.members.empty() ? replicas : std::min(replicas, view.members.size());
    if (copies != 0 && spec.nodes.size() != copies) {
      return wrong("expected " + std::to_string(copies) + ", one for each copy, not " +
                   std::to_string(spec.nodes.size()));
    }
    for (auto node = spec.nodes.begin(); node != spec.nodes.end(); ++node) {
      if (std::find(spec.nodes.begin(), node, *node) != node) return wrong("'" + *node + "' is named twice");
      const bool known = std::any_of(view.members.begin(), view.members.end(),
                                     [&](const MemberView& m) { return m.id.name() == *node; });
      if (!known && !view.members.empty())
        return wrong("no node '" + *node + "' may own children; there are: " + names_of(view));
    }
    return {};
  }

  void owners(const ChildKey& child, std::size_t replicas, std::vector<NodeId>& out) const override {
    for (const auto& name : child.nodes) {
      if (replicas == 0) return;
      const auto at = by_name_.find(name);
      if (at == by_name_.end()) continue;
      out.push_back(at->second);
      --replicas;
    }
  }

  /// How many of the nodes in its spec come no earlier; 0: it is not in it.
  void scores(const ChildKey& child, std::span<const NodeLoad>, std::vector<NodeScore>& out) const override {
    const auto all = child.nodes.size();
    for (const auto& [name, node] : by_name_) {
      const auto at = std::find(child.nodes.begin(), child.nodes.end(), name) - child.nodes.begin();
      const auto before = static_cast<std::size_t>(at);
      out.push_back({node, static_cast<double>(all - before),
                     before == all ? "not named in its spec"
                                   : "number " + std::to_string(before + 1) + " of " + std::to_string(all) +
                                         " that its spec names"});
    }
  }

 private:
  std::map<std::string, NodeId, std::less<>> by_name_{};
};

}  // namespace

Result<std::unique_ptr<Distribution>> make_guided(const StrategyOptions& options) {
  if (auto known = reject_unknown_options(options, {}); !known) return known.error();
  return std::unique_ptr<Distribution>(std::make_unique<Guided>());
}

}  // namespace processhub
