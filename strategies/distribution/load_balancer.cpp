#include "strategies/distribution/load_balancer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "strategies/distribution/rendezvous.hpp"
#include "strategies/number_text.hpp"
#include "strategies/option_reader.hpp"

namespace processhub {
namespace {

struct Options {
  Duration push_interval = std::chrono::seconds(10);
  std::size_t max_history = 30;
  double decay = 0.9;
  double cpu_weight = 4;
  double run_queue_weight = 2;
  double memory_weight = 1;
  double children_weight = 3;
  bool rebalance = false;
  double hysteresis = 0.2;
  double max_share = 0.1;

  double machine_weight() const { return cpu_weight + run_queue_weight + memory_weight; }
};

/// So many waiting threads count as half of what could be.
constexpr double kHalfQueue = 4;
/// Of an idle node's capacity, even the busiest one has this: when all are busy children still go somewhere.
constexpr double kLeastCapacity = 0.02;

class ByLoad final : public LoadRules {
 public:
  explicit ByLoad(Options options) : options_(options) {}

  Duration push_interval() const override { return options_.push_interval; }
  std::size_t max_history() const override { return options_.max_history; }

  double busy(std::span<const LoadSample> history) const override {
    double sum = 0;
    double weights = 0;
    double weight = 1;
    for (auto sample = history.rbegin(); sample != history.rend(); ++sample) {
      sum += weight * busy_at(*sample);
      weights += weight;
      weight *= options_.decay;
    }
    return weights > 0 ? sum / weights : 0;
  }

  std::size_t next(std::span<const NodeLoad> nodes) const override {
    std::size_t best = 0;
    for (std::size_t i = 1; i < nodes.size(); ++i) {
      // Nodes of weight 0 have no capacity: they are last, and even among each other.
      const auto mine = capacity(nodes[i]);
      const auto its = capacity(nodes[best]);
      const auto more = static_cast<double>(nodes[i].children + 1);
      const auto less = static_cast<double>(nodes[best].children + 1);
      const bool better = mine == 0 && its == 0 ? more < less : more * its < less * mine;
      if (better) best = i;
    }
    return best;
  }

  std::vector<LoadShift> shifts(std::span<const NodeLoad> nodes) const override {
    if (!options_.rebalance) return {};
    double capacities = 0;
    double children = 0;
    for (const auto& node : nodes) {
      capacities += capacity(node);
      children += static_cast<double>(node.children);
    }
    if (capacities == 0) return {};
    std::vector<std::pair<NodeId, std::size_t>> room;
    for (const auto& node : nodes) {
      const auto lacks = children * capacity(node) / capacities - static_cast<double>(node.children);
      if (lacks >= 0.5) room.emplace_back(node.node, static_cast<std::size_t>(lacks + 0.5));
    }
    std::vector<LoadShift> out;
    for (const auto& node : nodes) give(node, children * capacity(node) / capacities, room, out);
    return out;
  }

  /// Free capacity for each child it would have: the higher, the sooner it gets the next one.
  double score(const NodeLoad& node) const { return capacity(node) / static_cast<double>(node.children + 1); }

 private:
  double busy_at(const LoadSample& s) const {
    if (options_.machine_weight() == 0) return 0;
    const auto queue = s.run_queue / (s.run_queue + kHalfQueue);
    return (options_.cpu_weight * s.cpu + options_.run_queue_weight * queue +
            options_.memory_weight * s.memory) /
           options_.machine_weight();
  }

  /// How much of its weight is free. The more the number of children counts, the less it matters who is busy.
  double capacity(const NodeLoad& node) const {
    const auto all = options_.machine_weight() + options_.children_weight;
    const auto part = all == 0 ? 0 : options_.machine_weight() / all;
    return node.weight * std::max(kLeastCapacity, 1 - part * node.busy);
  }

  void give(const NodeLoad& node, double fair, std::vector<std::pair<NodeId, std::size_t>>& room,
            std::vector<LoadShift>& out) const {
    const auto has = static_cast<double>(node.children);
    // Never below its share: or what it gave would come back.
    if (has <= fair * (1 + options_.hysteresis) || has - fair < 1) return;
    const auto most = std::max(1.0, std::floor(has * options_.max_share));
    auto left = static_cast<std::size_t>(std::min(std::floor(has - fair), most));
    for (auto& [to, free] : room) {
      const auto count = std::min(left, free);
      if (count == 0 || to == node.node) continue;
      out.push_back({node.node, to, count});
      left -= count;
      free -= count;
    }
  }

  Options options_;
};

class LoadBalancer final : public Distribution {
 public:
  LoadBalancer(Options options, std::unique_ptr<Distribution> otherwise)
      : rules_(options), otherwise_(std::move(otherwise)) {}
  std::string_view name() const override { return "load_balancer"; }
  const LoadRules* load_rules() const override { return &rules_; }

  void prepare(const HubView& view) override {
    members_.clear();
    for (const auto& member : view.members) members_.push_back(member.id);
    otherwise_->prepare(view);
  }

  /// Where it was placed, as far as that is there; the hash of its name fills up what is lost.
  void owners(const ChildKey& child, std::size_t replicas, std::vector<NodeId>& out) const override {
    const auto begin = out.size();
    const auto wanted = std::min(replicas, members_.size());
    const auto add = [&](NodeId node) {
      const auto from = out.begin() + static_cast<std::ptrdiff_t>(begin);
      if (out.size() - begin < wanted && std::find(from, out.end(), node) == out.end()) out.push_back(node);
    };
    const auto add_member = [&](NodeId node) {
      if (node && std::binary_search(members_.begin(), members_.end(), node)) add(node);
    };
    add_member(child.explicit_node);
    for (const auto node : child.placed) add_member(node);
    if (out.size() - begin == wanted) return;
    std::vector<NodeId> ranked;
    otherwise_->owners({child.id, child.id_hash}, members_.size(), ranked);
    for (const auto node : ranked) add(node);
  }

  /// Where it would go if it were started now. What was placed stays where it is.
  void scores(const ChildKey& child, std::span<const NodeLoad> loads,
              std::vector<NodeScore>& out) const override {
    for (const auto& load : loads) {
      std::string why = "busy " + number_text(load.busy) + ", " + std::to_string(load.children) +
                        " children, weight " + number_text(load.weight);
      if (std::find(child.placed.begin(), child.placed.end(), load.node) != child.placed.end())
        why += ", placed there before";
      if (load.node == child.explicit_node) why += ", asked for by hand";
      out.push_back({load.node, rules_.score(load), std::move(why)});
    }
  }

 private:
  ByLoad rules_;
  std::unique_ptr<Distribution> otherwise_;
  std::vector<NodeId> members_{};
};

}  // namespace

Result<std::unique_ptr<Distribution>> make_load_balancer(const StrategyOptions& options) {
  Options out;
  constexpr double kMostWeight = 1000;
  const auto read = OptionReader(options)
                        .duration("push_interval", std::chrono::milliseconds(100), out.push_interval)
                        .number<std::size_t>("max_history", 1, 1000, out.max_history)
                        .number("decay", 0.0, 1.0, out.decay)
                        .number("cpu_weight", 0.0, kMostWeight, out.cpu_weight)
                        .number("run_queue_weight", 0.0, kMostWeight, out.run_queue_weight)
                        .number("memory_weight", 0.0, kMostWeight, out.memory_weight)
                        .number("children_weight", 0.0, kMostWeight, out.children_weight)
                        .flag("rebalance", out.rebalance)
                        .number("hysteresis", 0.0, 10.0, out.hysteresis)
                        .number("max_share", 0.001, 1.0, out.max_share)
                        .done();
  if (!read) return read.error();
  auto otherwise = make_rendezvous({});
  if (!otherwise) return otherwise.error();
  return std::unique_ptr<Distribution>(std::make_unique<LoadBalancer>(out, std::move(*otherwise)));
}

}  // namespace processhub
