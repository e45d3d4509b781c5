#include "core/protocol/hub_core.hpp"

#include <algorithm>

#include "core/protocol/mutation.hpp"
#include "core/protocol/parts.hpp"

namespace processhub::protocol {

namespace {

/// User commands wait in the event queue; everything else passes.
std::optional<int> queue_priority(const Event& event) {
  if (const auto* dispatch = std::get_if<event::DispatchEvent>(&event)) return dispatch->priority;
  bool command = std::holds_alternative<event::StartChildren>(event) ||
                 std::holds_alternative<event::StopChildren>(event) ||
                 std::holds_alternative<event::UpdateMetadata>(event) ||
                 std::holds_alternative<event::RestartChild>(event) ||
                 std::holds_alternative<event::MigrateChild>(event);
  if (command) return 0;
  return std::nullopt;
}

/// How long a command is worth carrying out; it may wait behind the lock.
std::chrono::milliseconds* timeout_of(Event& event) {
  if (auto* e = std::get_if<event::StartChildren>(&event)) return &e->options.timeout;
  if (auto* e = std::get_if<event::StopChildren>(&event)) return &e->options.timeout;
  if (auto* e = std::get_if<event::MigrateChild>(&event)) return &e->timeout;
  return nullptr;
}

void refuse_event(Context& ctx, Event& event, const Error& error) {
  if (auto* e = std::get_if<event::StartChildren>(&event)) ctx.emit(effect::CompleteStart{e->token, error});
  if (auto* e = std::get_if<event::StopChildren>(&event)) ctx.emit(effect::CompleteStop{e->token, error});
  if (auto* e = std::get_if<event::UpdateMetadata>(&event)) ctx.emit(effect::CompleteVoid{e->token, error});
  if (auto* e = std::get_if<event::RestartChild>(&event)) ctx.emit(effect::CompleteVoid{e->token, error});
  if (auto* e = std::get_if<event::MigrateChild>(&event)) ctx.emit(effect::CompleteVoid{e->token, error});
  if (auto* e = std::get_if<event::DispatchEvent>(&event)) {
    ctx.count_dead_letter(error.code);
    ctx.hook(hook::DeadLetter{{}, std::move(e->name), error.message});
  }
}

const Error kNoQuorum{ErrorCode::partitioned, "no quorum on this side"};

/// There may never be one again: only what has a time limit of its own waits for it, and no start does.
bool fails_without_quorum(const Event& event) {
  return std::holds_alternative<event::StartChildren>(event) ||
         std::holds_alternative<event::RestartChild>(event) ||
         std::holds_alternative<event::UpdateMetadata>(event);
}

}  // namespace

// -- Parts: time and slices
// ------------------------------------------------------------------------------------------------

void HubCore::Parts::begin(Time now, Effects& fx) {
  ctx.fx = &fx;
  const auto away = last_now_ == kNever ? Duration(0) : now - last_now_;
  const bool stall = away > ctx.config.stall_limit;
  ctx.now = now;
  last_now_ = now;
  if (stall) on_stall(away);
}

void HubCore::Parts::start() {
  joining_lock_ = queue.lock(EventQueue::Holder::joining, "joining", kLockedLevel, ctx.now);
  purge_due_ = ctx.now + ctx.config.purge_interval;
  ctx.hook(hook::PriorityChanged{0, kLockedLevel});
  membership.start();
  check_settled();
}

void HubCore::Parts::handle(Event&& event) {
  if (auto priority = queue_priority(event)) {
    if (terminated_ || left_) return refuse_event(ctx, event, {ErrorCode::stopped, "the hub has stopped"});
    if (quorum.lost() && fails_without_quorum(event)) return refuse_event(ctx, event, kNoQuorum);
    if (queue.discards(*priority))
      return refuse_event(ctx, event, {ErrorCode::discarded, "the queue is locked and takes nothing in"});
    const auto* timeout = timeout_of(event);
    const Time deadline = timeout == nullptr ? kNever : ctx.now + *timeout;
    return queue.push(*priority, std::move(event), ctx.now, deadline);
  }
  std::visit([&](auto& e) { on(e); }, event);
}

bool HubCore::Parts::run(std::size_t slice) {
  if (ctx.now >= next_deadline()) tick();
  placement.look();
  while (auto next = queue.pop()) {
    auto waited = ctx.now - next->second;
    ctx.stats.queue_wait_max = std::max(ctx.stats.queue_wait_max, waited);
    ctx.meters.queue_wait.note(waited);
    if (auto* timeout = timeout_of(next->first))
      *timeout -= std::chrono::duration_cast<std::chrono::milliseconds>(waited);
    std::visit([&](auto& e) { on(e); }, next->first);
  }
  bool more = requests.work(slice);
  more = placement.work(slice) || more;
  more = replication.work(slice) || more;
  calls.work();
  if (auto ids = registry.take_inserted(); !ids.empty()) ctx.hook(hook::RegistryInserted{std::move(ids)});
  if (auto ids = registry.take_removed(); !ids.empty()) ctx.hook(hook::RegistryRemoved{std::move(ids)});
  check_stall();
  check_settled();
  check_leave();
  return more || queue.has_ready();
}

void HubCore::Parts::tick() {
  auto before = queue.level();
  for (const auto& reason : queue.free_overdue(ctx.now, ctx.config.deadlock_recovery_timeout)) {
    ++ctx.meters.locks_freed;
    ctx.log(LogPart::queue, LogLevel::error, "freed a lock that was held too long: " + reason);
  }
  note_level(before);
  for (auto& event : queue.take_overdue(ctx.now)) {
    refuse_event(ctx, event, {ErrorCode::timeout, "the queue stayed locked until the deadline"});
  }
  for (auto& line : ctx.tally.take_due(ctx.now)) ctx.emit(std::move(line));
  links.tick();
  membership.tick();
  quorum.tick();
  replication.tick();
  supervisor.tick();
  requests.tick();
  calls.tick();
  topics.tick();
  handover.tick();
  placement.tick();
  balancer.tick();
  hear_last_words();
  if (ctx.now >= purge_due_) purge();
}

Time HubCore::Parts::next_deadline() const {
  Time last_rows_due = kNever;
  for (const auto& [node, words] : last_words_) last_rows_due = std::min(last_rows_due, words.until);
  return std::min({last_rows_due, links.next_deadline(), membership.next_deadline(), quorum.next_deadline(),
                   replication.next_deadline(),
                   heartbeat_wanted_ || !view_announced_ ? announce_due_ : kNever, supervisor.next_deadline(),
                   requests.next_deadline(), calls.next_deadline(), topics.next_deadline(),
                   handover.next_deadline(), placement.next_deadline(), balancer.next_deadline(), purge_due_,
                   leave_until_, leave_said_ || ctx.now >= farewell_until_ ? kNever : farewell_until_,
                   ctx.tally.next_deadline(), queue.next_deadline(ctx.config.deadlock_recovery_timeout)});
}

void HubCore::Parts::flush() {
  placement.flush();
  handover.flush();
  replication.flush_deltas();  // before the view is announced: others rely on that order
  if (ctx.now >= announce_due_) announce();
  publications.flush();
  replication.flush_acks();
  links.flush();
}

/// In gossip mode a burst of changes is announced at its begin and then as a whole: when a large cluster
/// boots or heals, every node's view changes with every member that it meets.
void HubCore::Parts::announce() {
  constexpr Duration kPause = std::chrono::milliseconds(20);
  if (!view_announced_) announce_view();
  if (!heartbeat_wanted_) return;
  publications.publish(own_heartbeat());
  heartbeat_wanted_ = false;
  if (ctx.gossips()) announce_due_ = ctx.now + kPause;
}

/// Rare and worth waiting for: over the sessions too, because a fresh subscription may not be there yet.
void HubCore::Parts::announce_view() {
  view_announced_ = true;
  for (auto peer : ctx.gossips() ? membership.fresh_peers() : membership.up_peers())
    links.send(peer, Lane::control, own_heartbeat());
  heartbeat_wanted_ = true;
}

// -- Parts: what concerns several parts
// ----------------------------------------------------------------------------------

void HubCore::Parts::check_settled() {
  if (unchecked_ || !settled_) quorum.look_again();
  if (joining_lock_ != 0 && membership.joined() && quorum.decided()) {
    auto before = queue.level();
    queue.unlock(joining_lock_);
    joining_lock_ = 0;
    note_level(before);
  }
  // To look costs in proportion to the cluster: not in every turn of a quiet one.
  if (settled_ && !unchecked_) return;
  bool now = placement.settled();
  if (now && !settled_) placement.recheck();
  bool changed = unchecked_ || now != settled_;
  settled_ = now;
  unchecked_ = false;
  if (changed && settled_ && !leaving() && !stalled_ && !quorum.lost()) statics.start_missing();
}

/// This process was away. Others may have taken its children: nothing runs until they have told what they
/// hold.
void HubCore::Parts::on_stall(Duration away) {
  auto peers = membership.up_peers();
  if (peers.empty() || terminated_) return;
  ctx.log(LogPart::hub, LogLevel::warn,
          "this process was away for " + seconds_text(away) +
              ": nothing runs until the others have said what they took over");
  stall(peers);
}

void HubCore::Parts::on_held_down(NodeId by) {
  if (terminated_ || stalled_) return;
  ctx.log(LogPart::hub, LogLevel::warn,
          by.str() +
              " held this node down: nothing runs until the others have said what they "
              "took over");
  stall(membership.up_peers());
}

void HubCore::Parts::stall(const std::vector<NodeId>& peers) {
  stalled_ = true;
  lost_one_ = false;
  if (!gates_closed_) ctx.emit(effect::CloseGates{});
  gates_closed_ = true;
  placement.set_active(false);
  membership.forgive_silence();
  for (auto peer : peers) replication.refresh(peer);
}

void HubCore::Parts::check_stall() {
  if (stalled_) {
    for (auto peer : membership.up_peers())
      if (!replication.complete(peer)) return;
    if (quorum.asked_for() && !membership.agreed()) return;  // somebody who took over may not be met yet
    // What the others hold of a node is heard only when that one is gone.
    if (std::exchange(lost_one_, false)) {
      for (auto peer : membership.up_peers()) replication.refresh(peer);
      return;
    }
    stalled_ = false;
    ctx.log(LogPart::hub, LogLevel::info,
            "the others have answered: children go on here unless they run elsewhere by now");
    placement.set_active(!quorum.lost());
    for (const auto& uid : supervisor.all())
      if (auto* child = registry.find(uid)) placement.enqueue(*child);
  }
  if (gates_closed_ && !placement.busy()) {
    gates_closed_ = false;
    ctx.emit(effect::OpenGates{});
  }
}

void HubCore::Parts::on_quorum(bool has) {
  auto members = membership.up_peers();
  members.insert(std::upper_bound(members.begin(), members.end(), ctx.self()), ctx.self());
  note_change();
  const auto before = queue.level();
  const bool had = quorum.had();  // a node that boots without one has lost nothing
  if (has) {
    ctx.log(LogPart::quorum, LogLevel::info,
            had ? "quorum regained: children run here again" : "there is a quorum: children run");
    queue.unlock(quorum_lock_);
    if (had) ctx.hook(hook::QuorumRegained{std::move(members)});
    placement.reconsider_all();
  } else {
    if (had)
      ctx.log(LogPart::quorum, LogLevel::error, "no quorum on this side: all children stop");
    else
      ctx.log(LogPart::quorum, LogLevel::warn, "no quorum yet: nothing runs here before there is one");
    quorum_lock_ = queue.lock(EventQueue::Holder::quorum, "no quorum", kLockedLevel, ctx.now);
    if (had) ctx.hook(hook::QuorumLost{std::move(members)});
    for (auto& event : queue.take_if(fails_without_quorum)) refuse_event(ctx, event, kNoQuorum);
    supervisor.stop_all(StopReason::no_quorum);
  }
  note_level(before);
  placement.set_active(has && !stalled_);
}

void HubCore::Parts::check_leave() {
  if (!leave_token_) return;
  bool late = ctx.now >= leave_until_;
  if (!leave_said_) {
    bool drained = (supervisor.count() == 0 && !placement.busy() && requests.idle() && calls.held() == 0 &&
                    links.clients_gone()) ||
                   mutated(Mutation::leaves_at_once);
    if (!late && !(drained && said_farewell())) return;
    if (late)
      ctx.log(LogPart::hub, LogLevel::warn,
              "drain_timeout passed with " + std::to_string(supervisor.count()) + " children left");
    supervisor.stop_all(StopReason::shutdown);
    replication.flush_deltas();
    quorum.leave();
    membership.say_leave(replication.own_version());
    ctx.log(LogPart::hub, LogLevel::info, "drained: leaving the cluster");
    leave_said_ = true;
    leave_until_ = ctx.now + std::chrono::seconds(1);
    return;
  }
  if (!late && !(links.all_idle() && supervisor.count() == 0)) return;
  left_ = true;
  leave_until_ = kNever;
  Error stopped{ErrorCode::stopped, "the hub has stopped"};
  requests.fail_all(stopped);
  calls.fail_all(stopped);
  for (auto& event : queue.drain()) refuse_event(ctx, event, stopped);
  ctx.emit(effect::CompleteVoid{*leave_token_, {}});
  leave_token_.reset();
}

/// Rows of lives that cannot return, once somebody else runs the child.
void HubCore::Parts::purge() {
  purge_due_ = ctx.now + ctx.config.purge_interval;
  std::vector<NodeId> gone;
  for (const auto& [node, table] : registry.tables())
    if (membership.has_left(node) && !membership.is_up(node)) gone.push_back(node);
  for (auto node : gone) {
    bool needed = false;
    for (const auto& uid : registry.rows_of(node)) {
      const auto* child = registry.find(uid);
      needed = needed || (child->spec && child->highest_epoch() <= child->entry_of(node)->epoch);
    }
    if (!needed) registry.drop_table(node);
  }
  const auto has_table = [&](NodeId node) { return registry.tables().contains(node); };
  for (auto node : membership.forget_superseded(has_table)) {
    replication.forget(node);
    publications.forget(node);
  }
}

ClusterSnapshot HubCore::Parts::snapshot() {
  ClusterSnapshot s;
  s.nodes = membership.infos();
  s.locked = queue.level() >= kLockedLevel;
  s.partitioned = quorum.lost();
  s.joined = membership.joined();
  s.children_local = registry.table(ctx.self()).listed;
  s.children_total = registry.live_count();
  s.digest = spec_digest();
  for (const auto& [node, table] : registry.tables())
    if (membership.is_up(node)) s.digest += table.digest;
  return s;
}

/// What is measured, not counted. Cheap: it is done in every turn.
void HubCore::Parts::measure() {
  auto& m = ctx.meters;
  m.queue_waiting = queue.size();
  m.queue_level = queue.level();
  queue.measure(ctx.now, m);
  m.calls_open = calls.open_calls();
  m.messages_held = calls.held();
  m.moves_in = std::max(placement.moves(), handover.incoming());
  m.moves_out = handover.outgoing();
  m.children_waiting = placement.waiting();
  m.settled = settled_;
}

// -- HubCore
// -------------------------------------------------------------------------------------------------------------

HubCore::HubCore(Identity identity, HubConfig config, StrategySet strategies)
    : parts_(std::make_unique<Parts>(std::move(identity), std::move(config), std::move(strategies))) {}

HubCore::~HubCore() = default;

void HubCore::start(Time now, Effects& fx) {
  parts_->begin(now, fx);
  parts_->start();
}

void HubCore::step(Time now, Event&& event, Effects& fx) {
  parts_->begin(now, fx);
  parts_->handle(std::move(event));
}

bool HubCore::run(Time now, Effects& fx, std::size_t slice) {
  parts_->begin(now, fx);
  return parts_->run(slice);
}

void HubCore::flush(Time now, Effects& fx) {
  parts_->begin(now, fx);
  parts_->flush();
}

Time HubCore::next_deadline() const { return parts_->next_deadline(); }

std::vector<RegistryChange> HubCore::take_registry_changes() {
  auto& p = *parts_;
  return p.registry.take_changes([&](NodeId node) { return p.membership.is_up(node); });
}

std::optional<ClusterSnapshot> HubCore::take_cluster_change() {
  if (!parts_->cluster_changed) return std::nullopt;
  parts_->cluster_changed = false;
  return parts_->snapshot();
}

HubStats HubCore::stats() const { return parts_->ctx.stats; }

const Meters& HubCore::meters() {
  parts_->measure();
  return parts_->ctx.meters;
}

Time HubCore::turns_until() const { return parts_->quorum.turns_until(); }

NodeId HubCore::self() const { return parts_->ctx.self(); }

void HubCore::set_tap(TapSink* tap) { parts_->ctx.tap = tap; }

}  // namespace processhub::protocol
