// The steps of Placement that need other nodes: reserving an epoch before a takeover, and asking the present
// node of a child to let it go.
#include <algorithm>
#include <set>

#include "core/protocol/mutation.hpp"
#include "core/protocol/placement.hpp"

namespace processhub::protocol {

namespace {
constexpr std::size_t kItemsPerMessage = 2000;
constexpr Duration kAskAgain = std::chrono::milliseconds(300);

template <class T>
std::vector<T> take_front(std::vector<T>& items, std::size_t n) {
  n = std::min(n, items.size());
  std::vector<T> out(std::make_move_iterator(items.begin()),
                     std::make_move_iterator(items.begin() + static_cast<std::ptrdiff_t>(n)));
  items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(n));
  return out;
}
}  // namespace

void Placement::take_over(Child& child) {
  auto epoch = std::max<std::uint64_t>(1, child.highest_epoch()) + 1;
  if (mutated(Mutation::reuses_generation)) epoch = std::max<std::uint64_t>(2, child.highest_epoch());
  child.epoch_floor = epoch;
  reserving_now_.emplace_back(child.uid, epoch);
  reserving_[child.uid] = 0;
}

void Placement::ask_for(Child& child, NodeId from) {
  auto [it, fresh] = moves_.try_emplace(child.uid);
  if (fresh && moves_.size() > ctx_.config.max_concurrent_moves) {
    moves_.erase(it);  // its turn comes when others are done
    throttled_.push_back(child.uid);
    return wait(child);
  }
  auto& move = it->second;
  if (fresh || move.from != from) move = {from, ctx_.now + ctx_.config.migration_timeout, ctx_.now, ctx_.now};
  const auto* source = child.entry_of(from);
  const bool begun = source != nullptr && source->state == InstanceState::moving && !handover_.hot();
  // A source whose view does not agree with ours yet ignores the request.
  if (!begun && ctx_.now >= move.ask_again) {
    move.ask_again = ctx_.now + kAskAgain;
    asking_[from].push_back({child.uid, child.highest_epoch()});
  }
  wait(child);
}

void Placement::list_moves(std::vector<MoveInfo>& out) const {
  for (const auto& [uid, move] : moves_) {
    const auto* child = registry_.find(uid);
    if (child == nullptr || !child->spec || handover_.has_begun(uid)) continue;
    out.push_back({child->spec->spec.id, move.from, ctx_.self(), "asked", ctx_.now - move.since});
  }
}

/// A move is done: there is room for another one, long before waiting_ is looked at again.
void Placement::ask_for_next() {
  while (!throttled_.empty()) {
    auto* child = registry_.find(throttled_.front());
    throttled_.pop_front();
    if (child != nullptr) return enqueue(*child);
  }
}

void Placement::flush() {
  news_.flush(ctx_);
  for (auto& [node, items] : asking_) {
    while (!items.empty()) links_.send(node, Lane::control, MoveRequest{take_front(items, kItemsPerMessage)});
  }
  asking_.clear();
  auto& all = reserving_now_;
  const auto ask_all = std::stable_partition(all.begin(), all.end(), [&](const auto& item) {
    const auto* child = registry_.find(item.first);
    return child == nullptr || !must_ask_all(*child);
  });
  std::vector<std::pair<Uid, std::uint64_t>> everywhere(ask_all, all.end());
  all.erase(ask_all, all.end());
  while (!all.empty()) reserve(take_front(all, kItemsPerMessage), false);
  while (!everywhere.empty()) reserve(take_front(everywhere, kItemsPerMessage), true);
}

/// Tables may be behind within a view. They are enough as long as nobody else could take itself for the one
/// to be active: who owns a child follows from the view. But not all may know of a wish yet, and a first node
/// may have started it late. Then all are asked, told of the wish, and say if they were quicker.
bool Placement::must_ask_all(const Child& child) const {
  if (!child.spec) return false;
  // Whoever its state was to be merged into has let it go, to a place that need not be known here yet.
  if (handover_.merges(child.uid)) return true;
  const bool wished = child.value->placement || child.value->placed.version > 0;
  if (!replicated_) return wished;
  if (!strategies_.redundancy->one_active() || start_role(child, child.owners) != Role::active) return false;
  const auto& first = child.spec->first;
  return wished || std::any_of(first.begin(), first.end(), [&](NodeId f) {
           return f != ctx_.self() && membership_.is_up(f) && child.entry_of(f) == nullptr;
         });
}

/// Of a child that `to` wants to make active.
bool Placement::still_here(const Child& child, NodeId to) const {
  // Not only its row: a first start has none before it runs.
  const auto* local = supervisor_.find(child.uid);
  const bool given =
      local != nullptr && local->state == LocalState::frozen && handover_.goes_to(child.uid) == to;
  return local != nullptr && !given && (!replicated_ || local->role == Role::active);
}

void Placement::reserve(std::vector<std::pair<Uid, std::uint64_t>> items, bool everywhere) {
  auto id = ++last_batch_;
  auto& batch = batches_[id];
  batch.items = std::move(items);
  batch.everywhere = everywhere;
  Reserve reserve;
  reserve.batch = id;
  for (const auto& [uid, epoch] : batch.items) {
    reserving_[uid] = id;
    reserve.items.push_back({uid, epoch});
    const auto* child = everywhere ? registry_.find(uid) : nullptr;
    if (child != nullptr) reserve.placed.push_back({uid, *child->value});
  }
  auto peers = membership_.up_peers();
  if (!everywhere) {
    auto after = std::upper_bound(peers.begin(), peers.end(), ctx_.self());
    std::rotate(peers.begin(), after, peers.end());
    if (peers.size() > ctx_.config.spec_copies) peers.resize(ctx_.config.spec_copies);
    add_last_runners(batch, peers);
  }
  for (auto peer : peers)
    if (links_.send(peer, Lane::control, reserve)) batch.missing.push_back(peer);
  if (everywhere && batch.missing.size() < peers.size()) return give_back(id);
  confirm(id);
}

/// Who ran a child last knows where it went, though that node's row may have been missed here.
void Placement::add_last_runners(const Batch& batch, std::vector<NodeId>& peers) const {
  for (const auto& [uid, epoch] : batch.items) {
    const auto* child = registry_.find(uid);
    const auto last = child == nullptr || replicated_ ? NodeId() : last_runner(*child);
    if (!last || !membership_.is_up(last) || std::find(peers.begin(), peers.end(), last) != peers.end())
      continue;
    peers.push_back(last);
  }
}

/// Not all could be asked: tried again later.
void Placement::give_back(std::uint64_t id) {
  for (const auto& [uid, epoch] : batches_[id].items) {
    reserving_.erase(uid);
    if (auto* child = registry_.find(uid)) wait(*child);
  }
  batches_.erase(id);
}

/// It ran here and went on to another node, which runs it: whoever asks has missed that one's row. (Others
/// may only be late to hear that it ended there.)
bool Placement::runs_without(const Child& child, NodeId asker) const {
  const auto* own = child.entry_of(ctx_.self());
  if (own == nullptr || own->listed() || replicated_ || mutated(Mutation::starts_without_release))
    return false;
  return std::any_of(child.entries.begin(), child.entries.end(), [&](const Entry& e) {
    return e.runs() && e.node != asker && own->epoch < e.epoch && membership_.is_up(e.node);
  });
}

void Placement::on(NodeId from, const Reserve& r) {
  ReserveReply reply;
  reply.batch = r.batch;
  std::set<Uid> placed;
  for (const auto& wish : r.placed) {
    registry_.merge_value(wish.uid, wish.value);
    placed.insert(wish.uid);
  }
  for (const auto& item : r.items) {
    auto* child = registry_.find(item.uid);
    if (child == nullptr) continue;
    auto known = child->highest_epoch();
    // Co-owners may reserve the same: their generations differ by the node.
    const bool taken = replicated_ ? known > item.epoch : known >= item.epoch;
    const bool held = (placed.contains(item.uid) && still_here(*child, from)) || runs_without(*child, from);
    if (held || (taken && !mutated(Mutation::reuses_generation))) {
      reply.higher.push_back({item.uid, std::max(known, item.epoch)});
    } else {
      child->epoch_floor = item.epoch;
    }
  }
  links_.send(from, Lane::control, reply);
}

void Placement::on(NodeId from, const ReserveReply& r) {
  auto it = batches_.find(r.batch);
  if (it == batches_.end()) return;
  for (const auto& h : r.higher) {
    if (auto* child = registry_.find(h.uid)) {
      child->epoch_floor = std::max(child->epoch_floor, h.epoch);
      wait(*child);
    }
    std::erase_if(it->second.items, [&](const auto& item) { return item.first == h.uid; });
    reserving_.erase(h.uid);
  }
  std::erase(it->second.missing, from);
  confirm(r.batch);
}

void Placement::on_session_end(NodeId peer) {
  std::vector<std::uint64_t> ready;
  for (auto& [id, batch] : batches_) {
    if (std::erase(batch.missing, peer) > 0) ready.push_back(id);
  }
  for (auto id : ready) confirm(id);
  for (auto it = moves_.begin(); it != moves_.end();)
    it = it->second.from == peer ? moves_.erase(it) : std::next(it);
}

void Placement::confirm(std::uint64_t id) {
  auto it = batches_.find(id);
  if (it == batches_.end() || !it->second.missing.empty()) return;
  auto batch = std::move(it->second);
  batches_.erase(it);
  start_batch(batch);
}

/// Whoever ran it last, as far as is known.
NodeId Placement::last_runner(const Child& child) const {
  const Entry* last = nullptr;
  for (const auto& e : child.entries)
    if (e.node != ctx_.self() && (last == nullptr || last->epoch < e.epoch)) last = &e;
  return last != nullptr ? last->node : NodeId();
}

/// The world may have changed since its batch was reserved.
bool Placement::may_start(Child& child, std::uint64_t epoch) {
  return supervisor_.find(child.uid) == nullptr && !child.value->failed &&
         (may_take(child) || mutated(Mutation::starts_without_release)) && child.highest_epoch() <= epoch;
}

void Placement::announce_takeovers(const Batch& batch) {
  std::map<NodeId, std::vector<std::string>> from;
  for (const auto& [uid, epoch] : batch.items) {
    auto* child = registry_.find(uid);
    if (child == nullptr || !child->spec || moves_.contains(uid)) continue;
    if (is_owner(*child, ctx_.self()) && may_start(*child, epoch))
      from[last_runner(*child)].push_back(child->spec->spec.id);
  }
  for (auto& [node, ids] : from) MoveNews::before(ctx_, node, ctx_.self(), std::move(ids));
}

/// Every child is judged again.
void Placement::start_batch(Batch& batch) {
  bool good = active_ && settled();
  for (const auto& [uid, epoch] : batch.items) {
    auto* child = registry_.find(uid);
    if (child != nullptr && child->placed_anew) recompute(*child);
  }
  // Not so when they were reserved: all have yet to be asked.
  const auto late = [&](const auto& item) {
    auto* child = registry_.find(item.first);
    if (batch.everywhere || child == nullptr || !must_ask_all(*child)) return false;
    reserving_.erase(item.first);
    wait(*child);
    return true;
  };
  std::erase_if(batch.items, late);
  if (good) announce_takeovers(batch);
  for (const auto& [uid, epoch] : batch.items) {
    reserving_.erase(uid);
    auto* child = registry_.find(uid);
    if (child == nullptr || !child->spec) continue;
    if (good && may_promote(*child, epoch)) {
      ctx_.note(LogPart::moves, LogLevel::info, "active here from now on", child->spec->spec.id);
      supervisor_.promote(*supervisor_.find(uid), epoch);
      continue;
    }
    if (good && may_thaw(*child, epoch)) {
      handover_.thaw(*supervisor_.find(uid), epoch);
      continue;
    }
    const bool mine = is_owner(*child, ctx_.self());
    if (good && !mine && !child->owners.empty()) news_.forwarded(child->spec->spec.id, child->owners[0]);
    if (!good || !mine || !may_start(*child, epoch)) {
      wait(*child);
      continue;
    }
    // Who is active may have changed when it is told to run: then it is promoted like any other.
    const bool waits = replicated_ && strategies_.redundancy->one_active();
    const auto role = waits ? Role::passive : start_role(*child, child->owners);
    if (handover_.prepare(*child, epoch, role)) continue;
    const bool moved = moves_.contains(uid);
    if (moved) count_move(uid);
    if (!moved) ++ctx_.meters.taken_over;
    const auto from = last_runner(*child);
    ctx_.note(LogPart::moves, LogLevel::info,
              (moved ? "moved here from " : "taken over from ") +
                  (from ? from.str() : std::string("a node that is gone")),
              child->spec->spec.id);
    if (moved) ask_for_next();
    supervisor_.start(*child, epoch, start_role(*child, child->owners),
                      moved ? StartReason::move : StartReason::takeover, false);
  }
}

void Placement::on(NodeId from, const MoveRequest& request) {
  if (!active_ || !membership_.agreed()) return;  // asked again while it is still wanted
  std::vector<std::string> ids;
  std::vector<Uid> going;
  for (const auto& item : request.items) {
    auto* child = registry_.find(item.uid);
    auto* local = supervisor_.find(item.uid);
    if (child == nullptr || !child->spec || !is_owner(*child, from) || is_owner(*child, ctx_.self()))
      continue;
    if (local == nullptr) {
      enqueue(*child);  // a row without a worker
      continue;
    }
    if (local->state == LocalState::stopping) continue;
    // One that starts may have come with a state a moment ago: it is asked for again when it runs.
    const bool hot =
        handover_.hot() && (local->state == LocalState::running || local->state == LocalState::frozen ||
                            local->state == LocalState::starting);
    if (hot && handover_.give(*local, from) != Handover::Giving::begun) continue;
    if (hot) news_.leaving(item.uid, from);
    ids.push_back(child->spec->spec.id);
    if (!hot) going.push_back(item.uid);
  }
  for (const auto& id : ids) ctx_.note(LogPart::moves, LogLevel::info, "moving to " + from.str(), id);
  MoveNews::before(ctx_, ctx_.self(), from, std::move(ids));
  for (const auto& uid : going) {
    news_.leaving(uid, from);
    supervisor_.stop(uid, StopReason::move);
  }
}

void Placement::on_started(const Uid& uid) {
  if (!moves_.contains(uid)) return;
  count_move(uid);
  ask_for_next();
}

/// It is here.
void Placement::count_move(const Uid& uid) {
  const auto it = moves_.find(uid);
  ++ctx_.meters.moved_here;
  ctx_.meters.move_time.note(ctx_.now - it->second.since);
  moves_.erase(it);
}

// -- with the state (handover.hpp)

/// Its state went to another node. It ends when that one lists it, and goes on if that one is lost.
void Placement::evaluate_frozen(Child& child) {
  const auto* winner = beaten_by(child);
  const auto fate = handover_.fate(child, winner != nullptr);
  if (fate == Handover::Fate::taken) return supervisor_.stop(child.uid, StopReason::move);
  // Whoever asked for it took another one: after a cut there are more of them than owners.
  const bool stays =
      fate == Handover::Fate::back || handover_.is_lost(child.uid, handover_.goes_to(child.uid));
  if (stays && is_surplus(child))
    return settled() ? supervisor_.stop(child.uid, StopReason::move) : wait(child);
  if (winner != nullptr && handover_.is_lost(child.uid, winner->node)) {
    if (handover_.merge_into(*supervisor_.find(child.uid), winner->node)) return;
    return supervisor_.stop(child.uid, StopReason::conflict);
  }
  if (fate == Handover::Fate::wait) return;
  if (!settled() || reserving_.contains(child.uid)) return wait(child);
  take_over(child);
}

/// The instance of a later activation on another node, which counts instead of ours.
const Entry* Placement::beaten_by(const Child& child) const {
  const auto* local = supervisor_.find(child.uid);
  const auto* other = replicated_ ? nullptr : other_lister(child);
  if (other == nullptr || local == nullptr || mutated(Mutation::ignores_higher_generation)) return nullptr;
  return local->generation(ctx_.self()) < other->generation() ? other : nullptr;
}

/// While this node was away a later activation ran on a node that is lost by now, and may still have its
/// lease: with a quorum nobody runs beside it, and where it ran last its own successor comes.
bool Placement::is_outlived(const Child& child, const LocalChild& local) const {
  if (replicated_ || !quorum_.asked_for() || mutated(Mutation::ignores_higher_generation)) return false;
  return std::any_of(child.entries.begin(), child.entries.end(), [&](const Entry& e) {
    return e.node != ctx_.self() && e.listed() && local.generation(ctx_.self()) < e.generation();
  });
}

bool Placement::may_thaw(const Child& child, std::uint64_t epoch) {
  const auto* local = supervisor_.find(child.uid);
  return local != nullptr && local->state == LocalState::frozen &&
         handover_.fate(child, beaten_by(child) != nullptr) == Handover::Fate::back &&
         child.highest_epoch() <= epoch && !is_surplus(child);
}

/// Its source tells it to run. If that one is lost first, it is taken over like any other child.
void Placement::evaluate_prepared(Child& child, LocalChild& local) {
  if (!handover_.is_heir(child.uid)) return;
  if (!settled() || !active_) return wait(child);
  const bool may = is_owner(child, ctx_.self()) && may_take(child) && child.highest_epoch() <= local.epoch;
  if (may) return handover_.activate(local);
  supervisor_.stop(child.uid, StopReason::move);
}

}  // namespace processhub::protocol
