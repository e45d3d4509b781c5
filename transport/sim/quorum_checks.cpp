#include "transport/sim/quorum_checks.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace processhub::sim {
namespace {

/// For clocks that drift, and for the begin of the cut itself.
constexpr Duration kSlack{100'000};

}  // namespace

QuorumChecks::QuorumChecks(SimCluster& cluster)
    : cluster_(cluster), oracle_(cluster.config(), cluster.strategies()), plan_(oracle_.quorum_plan()) {}

void QuorumChecks::on_world_changed() {
  if (!asked_for()) return;
  check_turns();
  for (const auto& [node, has] : enough_)
    if (has) last_enough_[node] = cluster_.now();
  stale_ = true;
}

void QuorumChecks::find_reach() {
  const auto nodes = cluster_.running_nodes();
  const auto n = nodes.size();
  std::vector<std::vector<char>> to(n, std::vector<char>(n, 1));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < n; ++k)
      to[i][k] = i == k || !cluster_.network().is_cut(nodes[i]->host(), nodes[k]->host());
  for (std::size_t over = 0; over < n; ++over)
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < n; ++k) to[i][k] = to[i][k] || (to[i][over] && to[over][k]);
  reach_.clear();
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < n; ++k)
      if (to[i][k] && to[k][i]) reach_[nodes[i]->id()].insert(nodes[k]->id());
  stale_ = false;
}

bool QuorumChecks::enough(const SimNode& node) {
  if (stale_) find_reach();
  const auto seats = node.view().seats;
  QuorumView view{node.id(), reach_[node.id()].size(), !seats.empty(), seats.size(), 0};
  for (const auto& other : reach_[node.id()])
    if (std::find(seats.begin(), seats.end(), other.name()) != seats.end()) ++view.seated;
  return (plan_.count_seats ? view.seated : view.present) >= oracle_.needed(view);
}

void QuorumChecks::on_turn(const SimNode& node) {
  if (!asked_for()) return;
  check_turns();
  auto& before = enough_[node.id()];
  const bool now = enough(node);
  if (before || now) last_enough_[node.id()] = cluster_.now();
  before = now;
}

void QuorumChecks::check_turns() {
  const auto& log = cluster_.workers();
  for (; known_ < log.activations.size(); ++known_)
    activations_[log.activations[known_].uid].push_back(known_);
  for (; seen_ < log.handled.size(); ++seen_) {
    check_late(log.handled[seen_]);
    check_second(log.handled[seen_]);
  }
}

void QuorumChecks::check_late(const Handled& turn) {
  const auto& activation = cluster_.workers().activations[turn.activation];
  if (enough_[activation.node]) return;
  const auto last = last_enough_.find(activation.node);
  const bool ever = last != last_enough_.end();
  if (ever && turn.when <= last->second + plan_.lease + kSlack) return;
  cluster_.report(
      "I10",
      fmt::format("{} handles message #{} on {}, {}", activation.id, turn.number, activation.node.str(),
                  ever ? format_duration(turn.when - last->second) + " after its quorum was lost"
                       : "which never had a quorum"));
}

/// Majority and more than half of all that ever were, as long as nobody counted anew by hand.
bool QuorumChecks::one_side_only() const {
  if (!oracle_.singleton()) return false;
  if (!plan_.count_seats) {
    const QuorumView begin{{}, 1, false, 0, 0};
    return oracle_.needed(begin) * 2 > cluster_.nodes().size();
  }
  const auto& all = cluster_.operations();
  return plan_.one_by_one && std::none_of(all.begin(), all.end(),
                                          [](const Operation& op) { return op.kind == OpKind::reset_size; });
}

void QuorumChecks::check_second(const Handled& turn) {
  const auto& all = cluster_.workers().activations;
  const auto& own = all[turn.activation];
  for (const auto index : activations_[own.uid]) {
    const auto& other = all[index];
    const bool later = other.node != own.node && own.generation < other.generation;
    if (!later || !other.up || *other.up > turn.when || !one_side_only()) continue;
    return cluster_.report(
        "I10", fmt::format("{} handles message #{} on {} as {}, though {} runs it as {} since {}", own.id,
                           turn.number, own.node.str(), own.generation.str(), other.node.str(),
                           other.generation.str(), format_duration(turn.when - *other.up)));
  }
}

}  // namespace processhub::sim
