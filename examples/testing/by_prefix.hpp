// The strategy under test: a child "b/anything" belongs on node b while b is up, and on the first node
// otherwise.
#pragma once

#include <processhub/strategy_catalog.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

class ByPrefix : public processhub::Distribution {
 public:
  std::string_view name() const override { return "by_prefix"; }
  void prepare(const processhub::HubView& view) override {
    members_.clear();
    for (const auto& member : view.members) members_.push_back(member.id);
  }
  void owners(const processhub::ChildKey& child, std::size_t replicas,
              std::vector<processhub::NodeId>& out) const override {
    if (members_.empty() || replicas == 0) return;
    const auto wanted = child.id.substr(0, child.id.find('/'));
    const auto found = std::find_if(members_.begin(), members_.end(),
                                    [wanted](processhub::NodeId node) { return node.name() == wanted; });
    out.push_back(found == members_.end() ? members_.front() : *found);
  }

 private:
  std::vector<processhub::NodeId> members_{};
};

inline processhub::StrategyCatalog own_strategies() {
  using Made = processhub::Result<std::unique_ptr<processhub::Distribution>>;
  processhub::StrategyCatalog catalog;
  catalog.add_distribution("by_prefix", [](const processhub::StrategyOptions& options) -> Made {
    if (auto ok = processhub::reject_unknown_options(options, {}); !ok) return ok.error();
    return Made(std::make_unique<ByPrefix>());
  });
  return catalog;
}
