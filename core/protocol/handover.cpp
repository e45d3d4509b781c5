#include "core/protocol/handover.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/protocol/mutation.hpp"

namespace processhub::protocol {

namespace {
constexpr Duration kLook = std::chrono::milliseconds(50);  // between two looks at what is overdue
constexpr Duration kMergeAgain = std::chrono::seconds(1);
constexpr Duration kRoom = std::chrono::milliseconds(5);     // until a full session is tried again
constexpr std::uint64_t kPiece = 32 << 10;                   // bytes of a state in one message
constexpr std::uint64_t kAtOnce = 4 << 20;                   // bytes in one turn
constexpr Duration kPause = std::chrono::milliseconds(500);  // at least, before a failed move is tried again
constexpr std::uint64_t kPauseSpread = 1'000'000;            // µs
}  // namespace

Handover::Handover(Context& context, Registry& registry, Links& links, Membership& membership,
                   Supervisor& supervisor, MovePlan plan, HandoverEvents& events)
    : ctx_(context),
      registry_(registry),
      links_(links),
      membership_(membership),
      supervisor_(supervisor),
      plan_(plan),
      events_(events) {}

Handover::Outgoing* Handover::outgoing(const Uid& uid) {
  const auto it = outgoing_.find(uid);
  return it == outgoing_.end() ? nullptr : &it->second;
}

Handover::Incoming* Handover::incoming(const Uid& uid) {
  const auto it = incoming_.find(uid);
  return it == incoming_.end() ? nullptr : &it->second;
}

void Handover::touch(const Uid& uid) {
  if (auto* child = registry_.find(uid)) events_.on_handover_step(*child);
}

void Handover::begin_looking() {
  if (look_due_ == kNever) look_due_ = ctx_.now + kLook;
}

/// Others may be quicker by then: the pause differs from try to try.
void Handover::later(const Uid& uid) {
  not_before_[uid] = ctx_.now + kPause + Duration(ctx_.rng.below(kPauseSpread));
  begin_looking();
}

// -- at the source

Handover::Giving Handover::give(const LocalChild& local, NodeId to) {
  auto* out = outgoing(local.uid);
  if (out != nullptr && out->serial == local.serial) {
    if (out->to == to && out->phase == Phase::frozen && !out->all_sent) send_state(local.uid, *out);
    return Giving::under_way;
  }
  if (const auto pause = not_before_.find(local.uid); pause != not_before_.end() && ctx_.now < pause->second)
    return Giving::not_now;
  if (local.state != LocalState::running || local.demoting) return Giving::not_now;
  begin(local, to);
  return Giving::begun;
}

Handover::Outgoing& Handover::begin(const LocalChild& local, NodeId to) {
  auto& fresh = outgoing_[local.uid] = {};
  fresh.to = to;
  fresh.serial = local.serial;
  fresh.attempt = ++last_attempt_;
  fresh.since = ctx_.now;
  fresh.due = ctx_.now + plan_.data_wait / 2;
  supervisor_.freeze(local, plan_.hand_over_state, false);
  begin_looking();
  return fresh;
}

bool Handover::merge_into(const LocalChild& local, NodeId winner) {
  auto* out = outgoing(local.uid);
  if (out != nullptr && out->serial != local.serial) out = nullptr;
  if (out == nullptr) {
    if (!plan_.hot || !plan_.hand_over_state || local.state != LocalState::running || local.demoting)
      return false;
    out = &begin(local, winner);
  }
  if (out->merged || !plan_.hand_over_state || out->phase == Phase::committed) return false;
  if (out->merging && out->to == winner) return true;
  out->to = winner;
  out->merging = true;
  out->sent = 0;
  out->all_sent = false;
  if (out->phase == Phase::frozen) {
    send_state(local.uid, *out);
  } else if (!std::exchange(out->held, true)) {
    supervisor_.freeze(local, true, true);  // what it did from now on would be lost if it cannot be merged
  }
  return true;
}

void Handover::on_frozen(const LocalChild& local, event::WorkerFrozen& frozen) {
  auto* out = outgoing(local.uid);
  const bool wanted =
      out != nullptr && out->serial == local.serial && (out->merging || membership_.is_up(out->to));
  if (!wanted) return undo(local.uid, "its target is gone");
  if (frozen.state.size() > ctx_.config.max_message_size) {
    const auto size = std::to_string(frozen.state.size());
    return refuse(local, "its state has " + size + " bytes, more than max_message_size");
  }
  out->phase = Phase::frozen;
  out->has_state = frozen.has_state;
  out->state = std::move(frozen.state);
  out->due = ctx_.now + (out->merging ? kMergeAgain : plan_.timeout);
  send_state(local.uid, *out);
}

void Handover::on_freeze_failed(const LocalChild& local, const event::WorkerFrozen& answer) {
  const auto* out = outgoing(local.uid);
  if (out != nullptr && out->merging) {
    ctx_.note(LogPart::moves, LogLevel::warn, "ends without being merged (" + answer.why + ")",
              local.spec->spec.id);
    return supervisor_.stop(local.uid, StopReason::conflict);
  }
  if (!answer.busy || plan_.cold_if_refused) return refuse(local, answer.why);
  ctx_.note(LogPart::moves, LogLevel::info, "moves later, it waits for answers of its own",
            local.spec->spec.id);
  undo(local.uid, answer.why);
}

/// Its state is not to be had: the config says what follows. Other children do not notice.
void Handover::refuse(const LocalChild& local, const std::string& why) {
  const auto uid = local.uid;
  const auto& id = local.spec->spec.id;
  if (!plan_.cold_if_refused) {
    ctx_.note(LogPart::moves, LogLevel::warn,
              "stays here for now, its state cannot be handed over (" + why + ")", id);
    return undo(uid, why);
  }
  ctx_.note(LogPart::moves, LogLevel::warn,
            "moves without its state, which cannot be handed over (" + why + ")", id);
  outgoing_.erase(uid);
  supervisor_.stop(uid, StopReason::move);
}

/// Not after the commit: the target does not run then unless it is told to.
void Handover::undo(const Uid& uid, const std::string& why) {
  if (const auto* out = outgoing(uid); out != nullptr && out->phase == Phase::frozen && !out->merging)
    links_.send(out->to, Lane::control, HandoverAbort{uid, out->attempt, why});
  later(uid);
  ++ctx_.meters.moves_undone;
  if (auto* local = supervisor_.find(uid)) thaw(*local, 0);
}

void Handover::thaw(LocalChild& local, std::uint64_t epoch) {
  const auto uid = local.uid;
  outgoing_.erase(uid);
  if (!events_.may_stay(uid)) return supervisor_.stop(uid, StopReason::move);
  events_.on_stays(uid);
  supervisor_.thaw(local, epoch);
}

void Handover::send_state(const Uid& uid, Outgoing& out) {
  if (std::exchange(out.queued, true)) return;
  sending_.push_back(uid);
}

/// False: the session is full.
bool Handover::send_pieces(const Uid& uid, Outgoing& out, std::uint64_t& budget) {
  while (!out.all_sent) {
    const auto size = std::min<std::uint64_t>(kPiece, out.state.size() - out.sent);
    if (budget < size || links_.queued(out.to, Lane::data) > ctx_.config.link_ring_bytes / 2) return false;
    HandoverState piece;
    piece.uid = uid;
    piece.attempt = out.attempt;
    piece.has_state = out.has_state;
    piece.total = out.state.size();
    piece.offset = out.sent;
    piece.piece = out.state.substr(out.sent, size);
    piece.merge = out.merging;
    if (const auto* local = supervisor_.find(uid)) {
      piece.epoch = local->epoch;
      piece.restarts = local->restarts;
    }
    if (!links_.send(out.to, Lane::data, piece, Sending::in_flow(uid.hash()))) return false;
    budget -= size;
    out.sent += size;
    out.all_sent = out.sent == out.state.size();
  }
  return true;
}

void Handover::flush() {
  auto budget = kAtOnce;
  send_due_ = kNever;
  for (auto left = sending_.size(); left > 0; --left) {
    const auto uid = sending_.front();
    sending_.pop_front();
    auto* out = outgoing(uid);
    if (out == nullptr || out->phase != Phase::frozen || !links_.has_session(out->to)) {
      if (out != nullptr) out->queued = false;
      continue;
    }
    out->queued = !send_pieces(uid, *out, budget);
    if (!out->queued) continue;
    sending_.push_back(uid);
    send_due_ = budget < kPiece ? Time::zero() : ctx_.now + kRoom;
  }
}

void Handover::on(NodeId from, const HandoverReady& m) {
  auto* out = outgoing(m.uid);
  auto* child = registry_.find(m.uid);
  const bool known = out != nullptr && child != nullptr && out->to == from && out->attempt == m.attempt;
  if (known && out->merging) {
    out->merged = true;
    return touch(m.uid);
  }
  if (!known || (out->phase != Phase::frozen && out->phase != Phase::committed)) {
    links_.send(from, Lane::control, HandoverAbort{m.uid, m.attempt, "the child has gone on at its source"});
    return;
  }
  child->epoch_floor = std::max(child->epoch_floor, m.epoch);
  out->epoch = m.epoch;
  out->phase = Phase::committed;
  out->state = {};
  commit(m.uid, *out);
  if (mutated(Mutation::thaws_after_commit)) undo(m.uid, "a bug on purpose");
}

void Handover::commit(const Uid& uid, Outgoing& out) {
  out.due = ctx_.now + kRepeat;
  const auto* local = supervisor_.find(uid);
  if (local == nullptr || !links_.has_session(out.to)) return;
  const auto& id = local->spec->spec.id;
  events_.forward_held(id, out.to);
  links_.send(out.to, Lane::data, HandoverCommit{uid, out.attempt},
              Sending::in_flow(hash64(id)));  // behind them
}

Handover::Fate Handover::fate(const Child& child, bool beaten) {
  auto* out = outgoing(child.uid);
  if (out != nullptr && out->merging) return beaten ? Fate::wait : Fate::back;
  if (out == nullptr || out->phase != Phase::committed) return Fate::wait;
  const auto* there = child.entry_of(out->to);
  const bool listed = there != nullptr && there->epoch >= out->epoch;
  const bool up = membership_.is_up(out->to);
  if (listed && !there->listed()) return Fate::taken;  // it ran there, and has moved on
  if (listed && up && !(plan_.confirm && there->state == InstanceState::starting)) {
    if (plan_.retention == Duration::zero() || membership_.status() == MemberStatus::leaving)
      return Fate::taken;
    if (out->kept_until == kNever) out->kept_until = ctx_.now + plan_.retention;
    return ctx_.now < out->kept_until ? Fate::wait : Fate::taken;
  }
  return out->refused || !up ? Fate::back : Fate::wait;
}

bool Handover::is_lost(const Uid& uid, NodeId winner) const {
  const auto it = outgoing_.find(uid);
  return it == outgoing_.end() || it->second.phase != Phase::committed || it->second.to != winner;
}

NodeId Handover::goes_to(const Uid& uid) const {
  const auto it = outgoing_.find(uid);
  return it == outgoing_.end() ? NodeId() : it->second.to;
}

bool Handover::merges(const Uid& uid) const {
  const auto it = outgoing_.find(uid);
  return it != outgoing_.end() && it->second.merging;
}

// -- at both

void Handover::on(NodeId from, const HandoverAbort& m) {
  if (const auto* in = incoming(m.uid); in != nullptr && in->from == from && in->attempt == m.attempt) {
    incoming_.erase(m.uid);
    const auto* local = supervisor_.find(m.uid);
    if (local != nullptr && local->only_prepared) supervisor_.stop(m.uid, StopReason::move);
    return touch(m.uid);
  }
  auto* out = outgoing(m.uid);
  if (out == nullptr || out->to != from || out->attempt != m.attempt) return;
  if (out->phase == Phase::committed) {
    out->refused = true;
    return touch(m.uid);
  }
  auto* local = supervisor_.find(m.uid);
  if (local == nullptr) return;
  if (m.why.empty()) return thaw(*local, 0);  // it does not want it any more
  refuse(*local, from.str() + ": " + m.why);
}

void Handover::forget(const Uid& uid) {
  outgoing_.erase(uid);
  not_before_.erase(uid);
  merged_.erase(uid);
  const auto* in = incoming(uid);
  if (in != nullptr && (in->phase == Phase::preparing || in->phase == Phase::ready)) incoming_.erase(uid);
}

void Handover::on_session_end(NodeId peer) {
  for (auto& [uid, out] : outgoing_) {
    if (out.to != peer || out.phase != Phase::frozen) continue;
    out.sent = 0;
    out.all_sent = false;
  }
  std::erase_if(incoming_, [&](const auto& item) {
    return item.second.from == peer && item.second.phase == Phase::arriving;
  });
  std::erase_if(merging_, [&](const auto& item) { return item.first.second == peer; });
}

void Handover::on_member_gone(NodeId node) {
  on_session_end(node);
  std::vector<Uid> concerned;
  for (const auto& [uid, out] : outgoing_)
    if (out.to == node) concerned.push_back(uid);
  for (const auto& [uid, in] : incoming_)
    if (in.from == node) concerned.push_back(uid);
  for (const auto& uid : concerned) {
    const auto* out = outgoing(uid);
    auto* local = supervisor_.find(uid);
    const bool frozen = out != nullptr && out->phase == Phase::frozen && !out->merging && local != nullptr;
    // If it lives all the same and runs the child, what happens here from now on is to be merged.
    if (frozen) ++local->restarts;
    if (frozen)
      undo(uid, node.str() + " is gone");
    else
      touch(uid);
  }
}

void Handover::list_one(const Uid& uid, NodeId from, NodeId to, Phase phase, Time since,
                        std::vector<MoveInfo>& out) const {
  const auto* child = registry_.find(uid);
  if (child == nullptr || !child->spec) return;
  static constexpr std::array kNames = {"saving",    "sending",  "committed", "arriving",
                                        "reserving", "building", "ready"};
  out.push_back(
      {child->spec->spec.id, from, to, kNames.at(static_cast<std::size_t>(phase)), ctx_.now - since});
}

void Handover::list(std::vector<MoveInfo>& out) const {
  for (const auto& [uid, o] : outgoing_) list_one(uid, ctx_.self(), o.to, o.phase, o.since, out);
  for (const auto& [uid, in] : incoming_) list_one(uid, in.from, ctx_.self(), in.phase, in.since, out);
}

void Handover::tick() {
  if (ctx_.now < look_due_) return;
  look_due_ = kNever;
  std::vector<Uid> overdue;
  for (auto& [uid, out] : outgoing_) {
    if (out.phase == Phase::committed && ctx_.now >= out.kept_until) touch(uid);
    if (ctx_.now >= out.due) overdue.push_back(uid);
  }
  for (const auto& uid : overdue) on_overdue(uid, outgoing_.at(uid));
  for (auto& [uid, in] : incoming_)
    if (ctx_.now >= in.due) say_ready(uid, in);
  std::erase_if(not_before_, [&](const auto& pause) { return ctx_.now >= pause.second; });
  if (!outgoing_.empty() || !incoming_.empty() || !not_before_.empty()) begin_looking();
}

void Handover::on_overdue(const Uid& uid, Outgoing& out) {
  out.due = kNever;
  const auto* local = supervisor_.find(uid);
  if (local == nullptr || local->serial != out.serial) {
    outgoing_.erase(uid);  // it crashed meanwhile: the next try begins anew
  } else if (out.phase == Phase::freezing && !std::exchange(out.held, true)) {
    out.due = ctx_.now + plan_.data_wait / 2;
    supervisor_.freeze(*local, plan_.hand_over_state, true);
  } else if (out.phase == Phase::freezing) {
    supervisor_.cancel_freeze(*local);  // answered in any case
  } else if (out.phase == Phase::frozen && out.merging) {
    out.due = ctx_.now + kMergeAgain;
    out.sent = 0;
    out.all_sent = false;
    send_state(uid, out);
  } else if (out.phase == Phase::frozen) {
    ctx_.note(LogPart::moves, LogLevel::warn,
              out.to.str() + " was not ready in time, the child stays here for now", local->spec->spec.id);
    undo(uid, "not in time");
  } else {
    commit(uid, out);
  }
}

Time Handover::next_deadline() const { return std::min(look_due_, send_due_); }

}  // namespace processhub::protocol
