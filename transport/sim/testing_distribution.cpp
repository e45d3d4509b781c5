// testing::check_distribution: what every distribution must do, whoever wrote it.
#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/hash.hpp"
#include "processhub/testing.hpp"
#include "strategies/builtin.hpp"

namespace processhub::testing {
namespace {

using Owners = std::vector<NodeId>;
using Problem = std::optional<std::string>;
using Names = std::vector<std::string>;

constexpr std::size_t kNodes = 5;
constexpr auto kWorkerType = "placed";

class PlacedWorker : public Worker {};

std::string node_name(std::size_t n) { return fmt::format("node-{}", n + 1); }

/// Those of node-1 … node-5 whose bit is set.
HubView view_of(unsigned nodes) {
  HubView view;
  for (std::size_t n = 0; n < kNodes; ++n) {
    if ((nodes >> n & 1U) != 0) view.members.push_back({NodeId::of(node_name(n), 1), 1.0, {}, {}});
  }
  view.up_count = view.members.size();
  return view;
}

bool has(const Owners& owners, NodeId node) {
  return std::find(owners.begin(), owners.end(), node) != owners.end();
}

std::string text(const Owners& owners) {
  Names names;
  for (const auto node : owners) names.emplace_back(node ? node.name() : "no node");
  return names.empty() ? "nowhere" : fmt::format("{}", fmt::join(names, ", "));
}

std::vector<ChildSpec> children_of(const DistributionCase& what) {
  auto children = what.children;
  for (std::size_t i = 0; what.children.empty() && i < 40; ++i)
    children.push_back({.id = fmt::format("shop-{}/child-{}", i % 8 + 1, i / 8 + 1)});
  for (auto& child : children) child.type = kWorkerType;
  return children;
}

/// The strategy by itself, without a cluster.
class OwnerScenarios {
 public:
  explicit OwnerScenarios(const DistributionCase& what)
      : what_(what), children_(children_of(what)), catalog_(builtin_strategies()) {
    catalog_.add(what.strategies);
  }

  Problem run() {
    if (auto wrong = options()) return wrong;
    for (const auto copies : what_.copies) {
      for (unsigned nodes = 0; nodes < 1U << kNodes; ++nodes) {
        if (auto wrong = in_view(nodes, copies)) return wrong;
      }
      for (unsigned nodes = 0; what_.moves_little && nodes < 1U << kNodes; ++nodes) {
        if (auto wrong = stable(nodes, copies)) return wrong;
      }
    }
    return {};
  }

 private:
  Result<std::unique_ptr<Distribution>> make(const StrategyChoice& choice) const {
    HubConfig config;
    config.distribution = choice;
    auto set = catalog_.build(config);
    if (!set) return set.error();
    return std::move(set->distribution);
  }
  /// Of a choice that options() has built before.
  std::unique_ptr<Distribution> fresh(const HubView& view) const {
    auto made = std::move(*make(what_.distribution));
    made->prepare(view);
    return made;
  }

  Problem options() const {
    const auto made = make(what_.distribution);
    if (!made) return made.error().message;
    if ((*made)->name() != what_.distribution.name) {
      return fmt::format("options: it is called '{}' in the catalogue, and calls itself '{}'",
                         what_.distribution.name, (*made)->name());
    }
    auto odd = what_.distribution;
    odd.options["no_such_option"] = "1";
    const auto refused = make(odd);
    if (refused) return "options: it takes 'no_such_option' without an error (reject_unknown_options)";
    if (refused.error().message.find("no_such_option") == std::string::npos)
      return "options: its error does not name 'no_such_option': " + refused.error().message;
    return {};
  }

  static Owners owners(const Distribution& of, const ChildSpec& child, std::size_t copies, NodeId wish = {}) {
    Owners out;
    of.owners({child.id, hash64(child.id), wish, std::span(child.nodes)}, copies, out);
    return out;
  }

  Problem in_view(unsigned nodes, std::size_t copies) {
    const auto view = view_of(nodes);
    const auto one = fresh(view);
    // Another node, later: it has seen other views before, and is asked in another order.
    auto later = view;
    later.self = NodeId::of("node-3", 1);
    later.now = std::chrono::hours(1);
    later.up_count = kNodes;
    const auto other = fresh(view_of(~nodes));
    other->prepare(view_of(nodes ^ 5U));
    other->prepare(later);
    for (auto child = children_.rbegin(); child != children_.rend(); ++child) owners(*other, *child, copies);

    for (const auto& child : children_) {
      const auto among = view.members.empty() ? "no nodes" : names_of(view);
      const auto at = fmt::format("{} among {}: ", child.id, among);
      const auto found = owners(*one, child, copies);
      if (auto wrong = proper(view, found, copies)) return at + *wrong;
      if (const auto again = owners(*other, child, copies); again != found) {
        return at +
               fmt::format("one node says {}, another one, with another past, {}", text(found), text(again));
      }
      if (auto wrong = with_others(*one, view, child, copies, found)) return at + *wrong;
      if (nodes == (1U << kNodes) - 1) {
        if (const auto may = one->check(child, copies, view); !may) return at + may.error().message;
      }
    }
    return {};
  }

  Problem proper(const HubView& view, const Owners& found, std::size_t copies) const {
    for (std::size_t i = 0; i < found.size(); ++i) {
      const bool member = std::any_of(view.members.begin(), view.members.end(),
                                      [&](const MemberView& m) { return m.id == found[i]; });
      if (!member) return fmt::format("owned by {}, which is no member", found[i].str());
      if (std::find(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(i), found[i]) !=
          found.begin() + static_cast<std::ptrdiff_t>(i))
        return fmt::format("{} is named twice", found[i].name());
    }
    const auto most = std::min(copies, view.members.size());
    if (found.size() > most || (found.size() < most && !what_.may_wait))
      return fmt::format("{} owners of {}: {}", found.size(), most, text(found));
    return {};
  }

  /// What must not change what was found, and what may.
  Problem with_others(const Distribution& one, const HubView& view, const ChildSpec& child,
                      std::size_t copies, const Owners& found) const {
    Owners appended{NodeId::of("kept", 1)};
    one.owners({child.id, hash64(child.id), {}, std::span(child.nodes)}, copies, appended);
    if (appended.empty() || appended.front().name() != "kept")
      return "owners() clears the list that it should append to";
    const auto gone = owners(one, child, copies, NodeId::of("nobody", 1));
    if (gone != found)
      return fmt::format("belongs on {}, but on {} if migrate named a node that is gone", text(found),
                         text(gone));
    for (const auto& member : view.members) {
      if (auto wrong = proper(view, owners(one, child, copies, member.id), copies))
        return fmt::format("with migrate to {}: {}", member.id.name(), *wrong);
    }
    return {};
  }

  /// Against the view with one node more, for each of them.
  Problem stable(unsigned nodes, std::size_t copies) const {
    const auto without = fresh(view_of(nodes));
    for (std::size_t n = 0; n < kNodes; ++n) {
      if ((nodes >> n & 1U) != 0) continue;
      const auto more = fresh(view_of(nodes | 1U << n));
      const auto newcomer = NodeId::of(node_name(n), 1);
      for (const auto& child : children_) {
        const auto before = owners(*without, child, copies);
        const auto after = owners(*more, child, copies);
        const bool fine =
            has(after, newcomer)
                ? std::all_of(after.begin(), after.end(),
                              [&](NodeId node) { return node == newcomer || has(before, node); })
                : after == before;
        if (!fine) {
          return fmt::format("{} moves from {} to {} because {} joins {}", child.id, text(before),
                             text(after), newcomer.name(), names_of(view_of(nodes)));
        }
      }
    }
    return {};
  }

  const DistributionCase& what_;
  std::vector<ChildSpec> children_;
  StrategyCatalog catalog_;
};

/// The same in a cluster, whose own checks compare what runs with what the strategy says.
class ClusterScenario {
 public:
  ClusterScenario(const DistributionCase& what, std::size_t copies, std::uint64_t seed, std::string faults)
      : may_wait_(what.may_wait),
        children_(children_of(what)),
        cluster_(options(what, copies, seed, std::move(faults))) {}

  Problem run() {
    cluster_.add_nodes({node_name(0), node_name(1), node_name(2)});
    if (const auto quiet = cluster_.settle(); !quiet) return quiet.str();
    if (auto wrong = start(node_name(0), 0, 2)) return wrong;
    if (auto wrong = start(node_name(2), 1, 2)) return wrong;
    if (auto wrong = all_run("after the start")) return wrong;
    cluster_.add_node(node_name(3));
    if (auto wrong = all_run("after node-4 joined")) return wrong;
    cluster_.crash(node_name(1));
    if (auto wrong = all_run("after node-2 crashed")) return wrong;
    if (const auto left = cluster_.leave(node_name(2)); !left)
      return "node-3 could not leave: " + left.error().message;
    if (auto wrong = all_run("after node-3 left")) return wrong;
    cluster_.restart(node_name(1));
    return all_run("after node-2 came back");
  }

 private:
  static ClusterOptions options(const DistributionCase& what, std::size_t copies, std::uint64_t seed,
                                std::string faults) {
    ClusterOptions out;
    out.seed = seed;
    out.types.add<PlacedWorker>(kWorkerType);
    out.strategies = what.strategies;
    out.config.distribution = what.distribution;
    out.config.redundancy = {"replication", {{"factor", std::to_string(copies)}}};
    out.faults = std::move(faults);
    out.trace_lines = 0;
    return out;
  }

  /// Every `step`th child, from `first` on.
  Problem start(const std::string& node, std::size_t first, std::size_t step) {
    std::vector<ChildSpec> some;
    for (auto i = first; i < children_.size(); i += step) some.push_back(children_[i]);
    const auto started = cluster_.start(node, some);
    if (!started) return "start: " + started.error().message;
    if (const auto errors = started->errors(); !errors.empty()) return "start: " + errors.front().message;
    return {};
  }

  Problem all_run(const std::string& when) {
    if (const auto quiet = cluster_.settle(std::chrono::minutes(1)); !quiet) return when + ": " + quiet.str();
    for (const auto& child : children_) {
      if (!may_wait_ && cluster_.runs_on(child.id).empty()) return when + ": " + child.id + " runs nowhere";
    }
    return {};
  }

  bool may_wait_;
  std::vector<ChildSpec> children_;
  Cluster cluster_;
};

}  // namespace

Verdict check_distribution(const DistributionCase& what) {
  if (auto wrong = OwnerScenarios(what).run()) return Verdict(*wrong);
  for (const auto copies : what.copies) {
    for (const auto* faults : {"", "loss=0.03 delay_max=20ms"}) {
      if (auto wrong = ClusterScenario(what, copies, copies, faults).run())
        return Verdict(fmt::format("in a cluster, {} of each child: {}", copies, *wrong));
    }
  }
  return {};
}

}  // namespace processhub::testing
