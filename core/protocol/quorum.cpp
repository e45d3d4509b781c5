#include "core/protocol/quorum.hpp"

#include <algorithm>
#include <functional>

#include "core/protocol/mutation.hpp"

namespace processhub::protocol {

Quorum::Quorum(Context& context, Links& links, Membership& membership, const PartitionTolerance& strategy,
               QuorumEvents& events)
    : ctx_(context),
      links_(links),
      membership_(membership),
      strategy_(strategy),
      events_(events),
      plan_(strategy.plan()),
      vote_(context.self(), *this) {}

// -- members

void Quorum::on_member_up(NodeId node) {
  if (!asked_for()) return;
  for (auto it = peers_.begin(); it != peers_.end(); ++it) {
    if (it->first == node || it->first.name() != node.name()) continue;
    on_member_gone(NodeId(it->first), false);  // an earlier life
    break;
  }
  peers_.try_emplace(node);
  out_of_reach_.erase(node);
  if (is_formed()) tell_seats(node);
  probe(node);
}

void Quorum::on_member_gone(NodeId node, bool left) {
  if (!asked_for()) return;
  peers_.erase(node);
  if (!left) ++losses_[node];
  const bool dead = plan_.trust_refused && membership_.members().at(node).refused;
  if (!left && !dead && !mutated(Mutation::takes_over_at_once)) out_of_reach_[node] = kNever;
  // Said aloud: its seat goes with it, unless a later life of the name has it by now.
  if (left && !plan_.by_vote && !present().contains(node.name())) seats_.set(node.name(), false);
}

bool Quorum::must_wait() const {
  if (!asked_for()) return false;
  // Who was here before this node may know of somebody out of reach: each has to say so first.
  return !decided_ || !out_of_reach_.empty() ||
         std::any_of(peers_.begin(), peers_.end(), [](const auto& p) { return !p.second.seats; });
}

void Quorum::time_the_lost() {
  std::erase_if(out_of_reach_, [&](const auto& lost) { return ctx_.now >= lost.second; });
  if (out_of_reach_.empty() || !membership_.agreed()) return;
  for (auto& [node, until] : out_of_reach_)
    if (until == kNever) until = ctx_.now + hold();
}

/// What it is counted from are those that know what there is to know.
bool Quorum::counts(NodeId peer) const {
  return membership_.members().at(peer).record.status != MemberStatus::joining;
}

// -- the lease

void Quorum::probe(NodeId peer) {
  links_.send(peer, Lane::control, QuorumProbe{ctx_.now, digest(), roll_.root, roll_.epoch});
}

void Quorum::on(NodeId from, const QuorumProbe& m) {
  auto peer = peers_.find(from);
  if (!asked_for() || peer == peers_.end()) return;  // held down: no answer
  const auto losses = losses_.find(from);
  QuorumReply reply{m.sent,     digest(),   {}, losses == losses_.end() ? 0 : losses->second,
                    roll_.root, roll_.epoch};
  for (const auto& [node, until] : out_of_reach_) reply.out_of_reach.push_back(node);
  links_.send(from, Lane::control, reply);
  peer->second.root = m.root;
  peer->second.epoch = m.epoch;
  if (peer->second.seats) peer->second.seats = m.seats;
  if (m.seats != digest() && is_formed()) tell_seats(from);
}

void Quorum::on(NodeId from, const QuorumReply& m) {
  auto found = peers_.find(from);
  if (!asked_for() || found == peers_.end() || m.sent > ctx_.now) return;
  auto& peer = found->second;
  if (!peer.seats) {
    for (auto node : m.out_of_reach)
      if (node != ctx_.self() && !membership_.is_up(node)) out_of_reach_.try_emplace(node, kNever);
  }
  const bool unnoticed = peer.seats && m.losses != peer.losses && !lost_;
  peer.losses = m.losses;
  peer.proven = std::max(peer.proven, m.sent);
  peer.seats = m.seats;
  peer.root = m.root;
  peer.epoch = m.epoch;
  if (unnoticed) events_.on_held_down(from);
  // There are as many replies as members: most of them change nothing that matters.
  if (waits_ || turns_until_ < ctx_.now + plan_.lease / 2) check();
}

/// Enough others have answered something that was sent at this time or later.
Time Quorum::lease_of(std::size_t needed) const {
  if (needed == 0) return kNever;
  std::vector<Time> proven;
  for (const auto& [node, peer] : peers_) {
    if (!counts(node) || (plan_.count_seats && !has_seat(node))) continue;
    const bool knows_more = peer.root != roll_.root || peer.epoch > roll_.epoch;
    if (!plan_.by_vote || !knows_more) proven.push_back(peer.proven);
  }
  auto others = needed;
  if (!plan_.count_seats || has_seat(ctx_.self())) --others;
  if (others == 0) return kNever;
  if (proven.size() < others) return Time::min();
  const auto last = proven.begin() + static_cast<std::ptrdiff_t>(others - 1);
  std::nth_element(proven.begin(), last, proven.end(), std::greater<>());
  return *last == Time::min() ? *last : *last + plan_.lease;
}

// -- the decision

Quorum::Names Quorum::present() const {
  Names out{ctx_.self().name()};
  for (const auto& [node, peer] : peers_)
    if (counts(node)) out.insert(node.name());
  return out;
}

QuorumView Quorum::view() const {
  const auto names = present();
  QuorumView out;
  out.self = ctx_.self();
  out.present = names.size();
  out.formed = is_formed();
  for (const auto life : roll_.counted()) {
    ++out.seats;
    if (has_come(life)) ++out.seated;
  }
  for (const auto& name : seats_.names()) {
    ++out.seats;
    if (names.contains(name)) ++out.seated;
  }
  return out;
}

void Quorum::check() {
  if (!asked_for() || !membership_.joined()) return;
  time_the_lost();
  decide();
  const bool same = alike();
  const bool changed = same && (plan_.by_vote ? advance_roll() : change_seats());
  if (changed) {
    tell();
    decide();
  }
  waits_ = changed || !same || lost_ || !decided_ || !out_of_reach_.empty();
}

void Quorum::decide() {
  const auto now = view();
  // They are about to agree on the seats.
  if (!decided_ && plan_.count_seats && !now.formed && now.present >= plan_.formed_by) return;
  const auto needed = strategy_.needed(now);
  const bool has = (plan_.count_seats ? now.seated : now.present) >= needed;
  // At boot: some are here, and about to be synced.
  if (!has && !decided_ && now.present < peers_.size() + 1) return;
  turns_until_ = lease_of(needed);
  if (mutated(Mutation::no_lease)) turns_until_ = kNever;
  if (!has) turns_until_ = Time::min();
  // Who was without one runs again when others have answered.
  if (has && (lost_ || !decided_) && turns_until_ <= ctx_.now) return;
  const bool news = lost_ == has;
  decided_ = true;
  lost_ = !has;
  if (news) events_.on_quorum(has);
  had_ = had_ || has;
}

// -- the seats

/// The view is agreed, and all in it know the same seats.
bool Quorum::alike() const {
  const auto own = digest();
  return membership_.agreed() && std::all_of(peers_.begin(), peers_.end(), [&](const auto& p) {
           return p.second.seats && *p.second.seats == own;
         });
}

bool Quorum::change_seats() {
  if (!seats_.formed()) return form();
  if (lost_ || !decided_) return false;
  const auto here = present();
  const auto names = seats_.names();
  const auto first =
      std::find_if(names.begin(), names.end(), [&](const auto& n) { return here.contains(n); });
  if (first == names.end() || *first != ctx_.self().name()) return false;
  return admit() || forget_lost(here);
}

/// All come to the same seats by themselves: they agree on who is there.
bool Quorum::form() {
  const auto here = present();
  if (here.size() < plan_.formed_by) return false;
  for (const auto name : here) seats_.set(name, true);
  return true;
}

bool Quorum::admit() {
  bool changed = false;
  for (const auto& [node, peer] : peers_) {
    if (membership_.members().at(node).record.status != MemberStatus::synced) continue;
    if (!plan_.admits && !seats_.knows(node.name())) continue;  // no newcomers
    changed = seats_.set(node.name(), true) || changed;
  }
  return changed;
}

bool Quorum::forget_lost(const Names& here) {
  if (plan_.forget_after == kNever) return false;
  bool changed = false;
  for (const auto& name : seats_.names()) {
    if (here.contains(name)) {
      absent_since_.erase(name);
      continue;
    }
    const auto since = absent_since_.try_emplace(name, ctx_.now).first->second;
    if (ctx_.now - since < plan_.forget_after) continue;
    absent_since_.erase(name);
    changed = seats_.set(name, false) || changed;
  }
  return changed;
}

Result<void> Quorum::reset_size() {
  if (!plan_.count_seats)
    return {ErrorCode::invalid, "partition_tolerance '" + std::string(strategy_.name()) +
                                    "' counts no cluster size that could be reset"};
  const auto here = present();
  if (plan_.by_vote) {
    reset_roll();
  } else {
    for (const auto& name : seats_.names()) seats_.set(name, here.contains(name));
    for (const auto name : here) seats_.set(name, true);
    absent_since_.clear();
  }
  ctx_.log(LogPart::quorum, LogLevel::warn,
           "the cluster size was reset: " + std::to_string(here.size()) + " nodes are counted from now on");
  tell();
  check();
  return {};
}

void Quorum::on(NodeId from, const SeatList& m) {
  if (!asked_for() || plan_.by_vote) return;
  bool changed = false;
  Seats told;
  for (const auto& seat : m.seats) {
    told.merge(seat);
    changed = seats_.merge(seat) || changed;
  }
  if (!changed) {
    if (told.digest() != seats_.digest()) tell_seats(from);
    return;
  }
  tell();
  check();
}

void Quorum::tell_seats(NodeId peer) {
  if (plan_.by_vote)
    links_.send(peer, Lane::control, RollNews{roll_, held()});
  else
    links_.send(peer, Lane::control, SeatList{seats_.all()});
}

void Quorum::tell() {
  for (const auto& [node, peer] : peers_) {
    tell_seats(node);
    probe(node);
  }
}

void Quorum::tick() {
  if (!asked_for() || ctx_.now < next_deadline()) return;
  if (ctx_.now >= probe_due_) {
    probe_due_ = ctx_.now + plan_.lease / 4;
    for (const auto& [node, peer] : peers_) probe(node);
  }
  check();
}

Time Quorum::next_deadline() const {
  if (!asked_for()) return kNever;
  Time due = probe_due_;
  for (const auto& [node, until] : out_of_reach_) due = std::min(due, until);
  return due;
}

}  // namespace processhub::protocol
