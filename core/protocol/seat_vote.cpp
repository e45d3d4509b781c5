#include "core/protocol/seat_vote.hpp"

#include <algorithm>

#include "core/protocol/mutation.hpp"

namespace processhub::protocol {

std::vector<NodeId> asked_for(const Roll& roll, const SeatChange& change) {
  auto out = roll.counted();
  std::erase(out, change.out);
  return out;
}

void SeatVote::follow(const Roll& roll) {
  const bool same = roll.key() == roll_.key();
  if (same && roll.left.size() == roll_.left.size()) return;
  if (roll_.formed() && roll.root != roll_.root) abandoned_.insert(roll_.root);
  roll_ = roll;
  phase_ = Phase::none;  // others are asked now
  if (same) return;
  voter_ = roll.has(self_) && !abandoned_.contains(roll.root);
  own_ = {};
}

LastWord SeatVote::retire() {
  retired_ = true;
  return {self_, own_};
}

template <class M>
void SeatVote::say(NodeId to, const M& m) {
  if (to == self_) return on(to, m);
  events_.send_vote(to, m);
}

void SeatVote::propose(const SeatChange& change, Time now, Time late) {
  if (!votes() || (phase_ != Phase::none && since_ > late)) return;
  since_ = now;
  prepare(change);
}

void SeatVote::prepare(const SeatChange& change) {
  for (const auto& last : roll_.left) highest_ = std::max(highest_, last.said.promised.count);
  ballot_ = {++highest_, self_};
  phase_ = Phase::preparing;
  wanted_ = change;
  latest_ = {};
  yes_.clear();
  for (const auto& last : roll_.left) hear(last.said);
  const SeatPrepare ask{roll_.key(), ballot_};
  for (const auto voter : asked_for(roll_, change)) say(voter, ask);
}

void SeatVote::hear(const VoterState& said) {
  if (said.accepted && latest_.accepted < said.accepted) latest_ = said;
}

/// More than half of those that are asked have said yes.
bool SeatVote::enough() const {
  const auto asked = asked_for(roll_, wanted_);
  const auto yes = std::count_if(asked.begin(), asked.end(), [&](NodeId v) { return yes_.contains(v); });
  return static_cast<std::size_t>(yes) * 2 > asked.size();
}

void SeatVote::on(NodeId from, const SeatPrepare& m) {
  highest_ = std::max(highest_, m.ballot.count);
  if (m.roll != roll_.key() || !votes()) return;
  own_.promised = std::max(own_.promised, m.ballot);
  say(from, SeatPromise{m.roll, own_});
}

void SeatVote::on(NodeId from, const SeatPromise& m) {
  highest_ = std::max(highest_, m.said.promised.count);
  if (m.roll != roll_.key() || phase_ != Phase::preparing || m.said.promised != ballot_) return;
  hear(m.said);
  yes_.insert(from);
  if (!enough()) return;
  // That one may have been decided already. Others may be asked for it.
  if (latest_.accepted && latest_.change != wanted_ && !mutated(Mutation::forgets_votes))
    return prepare(SeatChange(latest_.change));
  phase_ = Phase::accepting;
  yes_.clear();
  const SeatAccept ask{roll_.key(), ballot_, wanted_};
  for (const auto voter : asked_for(roll_, wanted_)) say(voter, ask);
}

void SeatVote::on(NodeId from, const SeatAccept& m) {
  highest_ = std::max(highest_, m.ballot.count);
  if (m.roll != roll_.key() || !votes() || m.ballot < own_.promised) return;
  own_ = {m.ballot, m.ballot, m.change};
  say(from, SeatAccepted{m.roll, m.ballot});
}

void SeatVote::on(NodeId from, const SeatAccepted& m) {
  if (m.roll != roll_.key() || phase_ != Phase::accepting || m.ballot != ballot_) return;
  yes_.insert(from);
  if (!enough()) return;
  phase_ = Phase::none;
  events_.on_decided(SeatChange(wanted_));
}

}  // namespace processhub::protocol
