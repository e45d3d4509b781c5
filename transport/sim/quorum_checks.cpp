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
  for (const auto& [node, others] : reach_)
    for (const auto& other : others) last_reached_[node][other] = cluster_.now();
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

void QuorumChecks::on_turn(const SimNode& node) {
  if (!asked_for()) return;
  check_turns();
  if (stale_) find_reach();
  seats_[node.id()] = node.view().seats;
}

void QuorumChecks::check_turns() {
  const auto& log = cluster_.workers();
  for (; known_ < log.activations.size(); ++known_)
    activations_[log.activations[known_].uid].push_back(known_);
  while (seen_ < log.handled.size()) {
    const auto turn = log.handled[seen_++];  // what is reported is noted, and brings us here again
    check_late(turn);
    check_second(turn);
  }
}

void QuorumChecks::check_late(const Handled& turn) {
  const auto& activation = cluster_.workers().activations[turn.activation];
  if (stale_) find_reach();
  auto within_lease = reach_[activation.node];
  for (const auto& [other, last] : last_reached_[activation.node])
    if (last + plan_.lease + kSlack >= turn.when) within_lease.insert(other);
  const auto& seats = seats_[activation.node];
  QuorumView view{activation.node, within_lease.size(), !seats.empty(), seats.size(), 0};
  for (const auto& seat : seats) {
    view.seated += std::any_of(within_lease.begin(), within_lease.end(),
                               [&](NodeId node) { return is_seat_of(seat, node); })
                       ? 1
                       : 0;
  }
  const auto needed = oracle_.needed(view);
  const auto there = plan_.count_seats ? view.seated : view.present;
  if (there >= needed) return;
  cluster_.report(
      "I10", fmt::format("{} handles message #{} on {}, which could reach {} of {} within {}", activation.id,
                         turn.number, activation.node.str(), there, needed, format_duration(plan_.lease)));
}

/// Majority and more than half of all that ever were, as long as nobody counted anew by hand.
bool QuorumChecks::one_side_only() const {
  if (!oracle_.singleton()) return false;
  if (!plan_.count_seats) {
    const QuorumView begin{{}, 1, false, 0, 0};
    return oracle_.needed(begin) * 2 > cluster_.nodes().size();
  }
  const auto& all = cluster_.operations();
  return plan_.by_vote && std::none_of(all.begin(), all.end(),
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
