// The roll of a quorum: who proposes which change of it, and which of two rolls counts. See quorum.hpp.
#include <algorithm>
#include <utility>

#include "core/protocol/quorum.hpp"

namespace processhub::protocol {

bool Quorum::has_seat(NodeId life) const {
  return plan_.by_vote ? roll_.has(life) && !roll_.has_left(life) : seats_.has(life.name());
}

std::vector<std::string> Quorum::counted() const {
  if (!plan_.by_vote) return seats_.names();
  std::vector<std::string> out;
  for (const auto life : roll_.counted()) out.push_back(life.str());
  return out;
}

/// It is here, and synced.
bool Quorum::has_come(NodeId life) const {
  return life == ctx_.self() || (peers_.contains(life) && counts(life));
}

/// Of the voters that are here the one whose name comes first.
bool Quorum::proposes() const {
  const auto voters = roll_.counted();
  const auto first =
      std::find_if(voters.begin(), voters.end(), [this](NodeId life) { return has_come(life); });
  return first != voters.end() && *first == ctx_.self();
}

/// What is to be changed next so that the roll has who is here and who may come back.
SeatChange Quorum::next_change() const {
  const auto is_synced = [this](NodeId node) {
    return membership_.members().at(node).record.status == MemberStatus::synced;
  };
  for (const auto life : roll_.voters) {
    if (!membership_.has_left(life) && !roll_.has_left(life)) continue;
    const auto heir = std::find_if(peers_.begin(), peers_.end(), [&](const auto& peer) {
      return peer.first.name() == life.name() && is_synced(peer.first);
    });
    if (heir != peers_.end()) return {life, heir->first};
    if (roll_.has_left(life) || membership_.said_leave(life)) return {life, {}};
  }
  for (const auto& [node, peer] : peers_) {
    const bool may_come = plan_.admits || roll_.knew(node.name());
    if (may_come && !roll_.holder(node.name()) && is_synced(node)) return {{}, node};
  }
  return {};
}

bool Quorum::votes() const { return plan_.by_vote && roll_.formed() && !lost_ && next_change(); }

/// True when the cluster has formed just now. Everything else comes about by votes.
bool Quorum::advance_roll() {
  if (!roll_.formed()) {
    if (present().size() < plan_.formed_by) return false;
    reset_roll();
    return true;
  }
  if (!proposes()) return false;
  const auto change = next_change();
  if (!change) return false;
  const auto asked = protocol::asked_for(roll_, change);
  const auto here = std::count_if(asked.begin(), asked.end(), [this](NodeId life) { return has_come(life); });
  if (static_cast<std::size_t>(here) * 2 > asked.size())
    vote_.propose(change, ctx_.now, ctx_.now - plan_.lease / 4);
  else
    warn_if_hopeless(asked);
  return false;
}

/// Lives that are over vote no more: with too many of them nobody can be let in, whoever comes back.
void Quorum::warn_if_hopeless(const std::vector<NodeId>& asked) {
  const auto over =
      std::count_if(asked.begin(), asked.end(), [this](NodeId life) { return membership_.has_left(life); });
  const auto left = asked.size() - static_cast<std::size_t>(over);
  if (left * 2 > asked.size() || std::exchange(hopeless_, roll_.key()) == roll_.key()) return;
  ctx_.log(LogPart::quorum, LogLevel::error,
           "of " + std::to_string(asked.size()) + " nodes that decide who is counted only " +
               std::to_string(left) +
               " did not end or start again: there will be a quorum only after reset-cluster-size");
}

/// The first of all, or by hand: those that are here, without asking anybody.
void Quorum::reset_roll() {
  std::vector<NodeId> here{ctx_.self()};
  for (const auto& [node, peer] : peers_)
    if (counts(node)) here.push_back(node);
  auto fresh = Roll::of(std::move(here), roll_.formed() ? roll_.resets + 1 : 0);
  for (const auto& name : roll_.former) fresh.note_former(name);
  adopt(std::move(fresh));
}

void Quorum::adopt(Roll roll) {
  roll.note_left_of(roll_);
  roll_ = std::move(roll);
  vote_.follow(roll_);
}

void Quorum::send_vote(NodeId to, const SeatMessage& m) {
  std::visit([&](const auto& message) { links_.send(to, Lane::control, message); }, m);
}

void Quorum::on_decided(const SeatChange& change) {
  adopt(roll_.after(change));
  tell();
  decide();
  waits_ = true;
}

/// It is not counted from now on: who hears its last word knows no earlier roll than the one it is about.
void Quorum::leave() {
  if (!asked_for() || !plan_.by_vote) return;
  const auto last = vote_.retire();
  if (!roll_.note_left(last)) return;
  vote_.follow(roll_);
  tell();
}

/// Of one sequence the later one. Of two sequences that which was begun by hand, then that which somebody has
/// a quorum of; every node decides alike.
bool Quorum::counts_more(const RollNews& news) const {
  const auto& other = news.roll;
  if (other.root == roll_.root) return other.epoch > roll_.epoch;
  if (other.resets != roll_.resets) return other.resets > roll_.resets;
  if (news.held != held()) return news.held;
  return std::pair(other.voters.size(), other.root) > std::pair(roll_.voters.size(), roll_.root);
}

void Quorum::on(NodeId from, const RollNews& m) {
  const auto peer = peers_.find(from);
  const bool known = peer != peers_.end() || membership_.said_leave(from);
  if (!asked_for() || !plan_.by_vote || !known || !m.roll.is_well_formed()) return;
  const auto before = roll_.digest();
  if (m.roll.key() != roll_.key() && (!roll_.formed() || counts_more(m))) {
    adopt(m.roll);
  } else if (roll_.note_left_of(m.roll)) {
    vote_.follow(roll_);
  }
  if (peer != peers_.end()) {
    peer->second.root = m.roll.root;
    peer->second.epoch = m.roll.epoch;
    if (peer->second.seats) peer->second.seats = m.roll.digest();
  }
  if (roll_.digest() != before) {
    tell();
    check();
  } else if (m.roll.digest() != before && peer != peers_.end()) {
    tell_seats(from);
  }
}

}  // namespace processhub::protocol
