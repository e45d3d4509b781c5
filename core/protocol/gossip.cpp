#include "core/protocol/gossip.hpp"

#include <algorithm>
#include <map>

namespace processhub::protocol {

namespace {

std::uint64_t share_of(std::uint64_t node, std::uint64_t number) {
  std::uint64_t x = (node ^ (number + 1) * 0x9E3779B97F4A7C15ULL) * 0xBF58476D1CE4E5B9ULL;
  return x ^ (x >> 29);
}

std::uint64_t number_of(const Member& member) { return member.announced ? member.last.number : 0; }

}  // namespace

Gossip::Gossip(Context& context, Membership& membership, Links& links, Replication& replication)
    : ctx_(context), membership_(membership), links_(links), replication_(replication) {}

Digests Gossip::digests(const Heartbeat& own) {
  if (summed_ != membership_.changes() + 1) {
    summed_ = membership_.changes() + 1;
    sum_ = 0;
    for (const auto& [id, member] : membership_.members())
      if (membership_.is_up(member)) sum_ += share_of(id.hash(), number_of(member));
  }
  Digests d;
  d.heartbeats = sum_ + share_of(ctx_.self().hash(), own.number);
  d.specs = own.spec_digest;
  d.published = own.published;
  if (d.heartbeats != last_.heartbeats || d.specs != last_.specs) {
    last_ = d;
    changed_ = ctx_.now;
  }
  d.steady = ctx_.now - changed_ >= Duration(ctx_.config.sync_interval);
  return d;
}

void Gossip::round(const Heartbeat& own) {
  const auto shown = digests(own);
  auto left = ctx_.sync.recipients;
  for (bool refilled = false; left > 0;) {
    if (order_.empty()) {
      if (refilled) return;
      refilled = true;
      order_ = membership_.up_peers();
      for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[ctx_.rng.below(i)]);
      continue;
    }
    const auto to = order_.back();
    order_.pop_back();
    if (membership_.is_up(to) && links_.send(to, Lane::control, shown)) --left;
  }
}

/// Everybody differs while a change spreads. What counts is a difference that stays, or that nobody shares.
bool Gossip::worth_asking(const Digests& theirs, const Digests& ours) {
  const Duration patience = ctx_.config.sync_interval;
  if (theirs.heartbeats == ours.heartbeats && theirs.specs == ours.specs) {
    agreed_ = ctx_.now;
    return false;
  }
  const bool stays = theirs.steady && ours.steady;
  const bool alone = ctx_.now - agreed_ > patience;
  if (!(stays || alone) || ctx_.now - asked_ < patience) return false;
  asked_ = ctx_.now;
  return true;
}

void Gossip::on(NodeId from, const Digests& theirs, const Heartbeat& own) {
  const auto ours = digests(own);
  if (theirs.specs == ours.specs) replication_.on_same_specs(from, theirs.published);
  if (!worth_asking(theirs, ours)) return;
  if (theirs.heartbeats != ours.heartbeats) links_.send(from, Lane::control, heard(own, true));
  if (theirs.specs != ours.specs) replication_.pull(from, true);
}

Heard Gossip::heard(const Heartbeat& own, bool answer) const {
  Heard h;
  h.answer = answer;
  h.members.push_back({ctx_.self().hash(), own.number});
  for (const auto& [id, member] : membership_.members())
    if (membership_.is_up(member)) h.members.push_back({id.hash(), number_of(member)});
  return h;
}

void Gossip::on(NodeId from, const Heard& theirs, const Heartbeat& own) {
  tell_missing(from, theirs, own);
  tell_gone(from, theirs);
  if (theirs.answer) links_.send(from, Lane::control, heard(own, false));
}

void Gossip::tell_missing(NodeId to, const Heard& theirs, const Heartbeat& own) {
  std::map<std::uint64_t, std::uint64_t> numbers;
  for (const auto& m : theirs.members) numbers[m.node] = m.number;
  Members unknown;
  Rumours news;
  if (numbers[ctx_.self().hash()] < own.number) news.heartbeats.push_back({ctx_.self(), own});
  for (const auto& [id, member] : membership_.members()) {
    if (!membership_.is_up(member) || id == to) continue;
    const auto known = numbers.find(id.hash());
    if (known == numbers.end()) unknown.up.push_back(member.record);
    if (known != numbers.end() && known->second < number_of(member))
      news.heartbeats.push_back({id, member.last});
  }
  if (!unknown.up.empty()) links_.send(to, Lane::control, unknown);
  if (!news.heartbeats.empty()) links_.send(to, Lane::control, news);
}

/// A verdict is a reason to look, for whoever still holds the member as up.
void Gossip::tell_gone(NodeId to, const Heard& theirs) {
  for (const auto& m : theirs.members) {
    const auto id = membership_.find_hash(m.node);
    if (!id || *id == ctx_.self() || *id == to) continue;
    const auto& member = membership_.members().at(*id);
    if (member.liveness == Liveness::down || member.liveness == Liveness::left) {
      const auto verdict = member.liveness == Liveness::left ? Verdict::left : Verdict::silent;
      links_.send(to, Lane::control, MemberNews{*id, verdict, member.record.refutation});
    }
  }
}

void Gossip::on(const Rumours& rumours) {
  for (const auto& rumour : rumours.heartbeats)
    if (rumour.node != ctx_.self() && membership_.is_up(rumour.node))
      membership_.on(rumour.node, rumour.last);
}

}  // namespace processhub::protocol
