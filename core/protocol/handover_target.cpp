// Handover at the target of a move, and where the state of an instance that lost is merged.
#include <algorithm>
#include <utility>

#include "core/protocol/handover.hpp"
#include "core/protocol/mutation.hpp"

namespace processhub::protocol {

bool Handover::holds(const Uid& uid, NodeId from) const {
  const auto it = incoming_.find(uid);
  return it != incoming_.end() && it->second.from == from && it->second.phase != Phase::arriving &&
         !outdated(uid, it->second);
}

/// Its source held this node down, went on with the child, and could not say so.
bool Handover::outdated(const Uid& uid, const Incoming& in) const {
  const auto* child = registry_.find(uid);
  const auto* row = child == nullptr || in.phase != Phase::here ? nullptr : child->entry_of(in.from);
  return row != nullptr && row->listed() && membership_.is_up(in.from) && in.source < row->generation();
}

/// A state is merged once, by the generation it comes from, and never into a worker that is about to leave.
void Handover::on_merge(NodeId from, HandoverState& m) {
  const auto* local = supervisor_.find(m.uid);
  const bool runs = local != nullptr && !local->only_prepared &&
                    (local->state == LocalState::running || local->state == LocalState::starting);
  const Generation loser{m.epoch, m.restarts, from};
  if (!runs || outgoing(m.uid) != nullptr || !(loser < local->generation(ctx_.self()))) return;
  auto& merged = merged_[m.uid];
  if (!merged.contains(loser) || mutated(Mutation::merges_twice)) {
    auto& arriving = merging_[{m.uid, from}];
    if (m.offset == 0) arriving = {m.attempt, {}};
    if (arriving.attempt != m.attempt || arriving.state.size() != m.offset) return;
    arriving.state.append(m.piece);
    if (arriving.state.size() < m.total) return;
    ctx_.note(LogPart::moves, LogLevel::info, "gets the state of its other instance, on " + from.str(),
              local->spec->spec.id);
    auto state = std::make_shared<const Bytes>(std::move(arriving.state));
    merging_.erase({m.uid, from});
    merged.insert(loser);
    if (m.has_state) ctx_.emit(effect::MergeState{local->serial, loser, std::move(state)});
  }
  links_.send(from, Lane::control, HandoverReady{m.uid, m.attempt, local->epoch});
}

void Handover::on(NodeId from, HandoverState& m) {
  const auto* child = registry_.find(m.uid);
  if (child == nullptr || !child->spec || m.total > ctx_.config.max_message_size) return;
  if (m.merge) return on_merge(from, m);
  const auto* local = supervisor_.find(m.uid);
  if (local != nullptr && !local->only_prepared) return;
  auto* in = incoming(m.uid);
  if (m.offset == 0) {
    if (in != nullptr && in->from == from && in->attempt == m.attempt && in->phase != Phase::arriving) return;
    if (local != nullptr) supervisor_.stop(m.uid, StopReason::move);  // built from an earlier try
    in = &(incoming_[m.uid] = {});
    in->from = from;
    in->source = {m.epoch, m.restarts, from};
    in->attempt = m.attempt;
    in->has_state = m.has_state;
    in->state = std::make_shared<Bytes>();
    in->since = ctx_.now;
  }
  const bool next = in != nullptr && in->from == from && in->attempt == m.attempt &&
                    in->phase == Phase::arriving && in->state->size() == m.offset;
  if (!next || m.offset + m.piece.size() > m.total) return;
  in->state->append(m.piece);
  if (in->state->size() < m.total) return;
  in->phase = Phase::here;
  begin_looking();
  touch(m.uid);
}

bool Handover::prepare(const Child& child, std::uint64_t epoch, Role role) {
  auto* in = incoming(child.uid);
  if (in == nullptr || in->phase != Phase::here) return false;
  const auto* source = child.entry_of(in->from);
  if (outdated(child.uid, *in) || (membership_.is_up(in->from) && (source == nullptr || !source->listed()))) {
    incoming_.erase(child.uid);  // it has ended there since
    return false;
  }
  in->phase = Phase::preparing;
  in->epoch = epoch;
  const bool with_state = in->has_state && !mutated(Mutation::activates_without_state);
  auto state = with_state ? std::shared_ptr<const Bytes>(in->state) : nullptr;
  in->state = nullptr;
  supervisor_.prepare(child, epoch, role, std::move(state));
  return true;
}

void Handover::on_prepared(const LocalChild& local) {
  auto* in = incoming(local.uid);
  if (in == nullptr || in->phase != Phase::preparing) return;
  in->phase = Phase::ready;
  in->due = ctx_.now;
  say_ready(local.uid, *in);
  touch(local.uid);
}

void Handover::say_ready(const Uid& uid, Incoming& in) {
  in.due = ctx_.now + kRepeat;
  links_.send(in.from, Lane::control, HandoverReady{uid, in.attempt, in.epoch});
}

void Handover::on_prepare_failed(const LocalChild& local, const std::string& why) {
  ctx_.note(LogPart::moves, LogLevel::warn, "cannot take its state here (" + why + ")", local.spec->spec.id);
  const auto* in = incoming(local.uid);
  if (in == nullptr || in->phase != Phase::preparing) return;
  links_.send(in->from, Lane::control, HandoverAbort{local.uid, in->attempt, why});
  incoming_.erase(local.uid);
}

/// After a cut an instance that lost against the one that moves may still run: it stops for the other's row,
/// and until then the move is not over. The source says it again.
bool Handover::loser_runs(const Uid& uid, const Incoming& in) const {
  const auto* child = registry_.find(uid);
  if (child == nullptr) return false;
  return std::any_of(child->entries.begin(), child->entries.end(), [&](const Entry& e) {
    const bool is_up = e.runs() || e.state == InstanceState::stopping;
    return is_up && e.role == Role::active && e.node != ctx_.self() && e.node != in.from &&
           membership_.is_up(e.node) && e.generation() < in.source;
  });
}

/// Whatever the view says by now: if the child belongs elsewhere, it moves on from here.
void Handover::on(NodeId from, const HandoverCommit& m) {
  const auto* in = incoming(m.uid);
  auto* local = supervisor_.find(m.uid);
  if (in != nullptr && in->from == from && in->attempt == m.attempt && in->phase == Phase::ready) {
    if (active_ && local != nullptr && !(one_instance_ && loser_runs(m.uid, *in))) activate(*local);
    return;
  }
  if (local != nullptr && !local->only_prepared) return;  // it runs already
  links_.send(from, Lane::control, HandoverAbort{m.uid, m.attempt, "it is not here"});
}

void Handover::decline(const Uid& uid) {
  const auto* in = incoming(uid);
  if (in == nullptr || in->phase > Phase::here) return;
  links_.send(in->from, Lane::control, HandoverAbort{uid, in->attempt, {}});
  incoming_.erase(uid);
}

bool Handover::is_heir(const Uid& uid) const {
  const auto it = incoming_.find(uid);
  return it != incoming_.end() && it->second.phase == Phase::ready && !membership_.is_up(it->second.from);
}

void Handover::activate(LocalChild& local) {
  const auto loser = incoming_.at(local.uid).source;
  const auto from = loser.node;
  merged_[local.uid].insert(loser);  // should it come back: this is its state
  ctx_.note(LogPart::moves, LogLevel::info, "moved here with its state from " + from.str(),
            local.spec->spec.id);
  incoming_.erase(local.uid);
  supervisor_.activate(local);
}

}  // namespace processhub::protocol
