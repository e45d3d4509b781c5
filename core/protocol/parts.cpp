#include "core/protocol/parts.hpp"

#include "core/hash.hpp"
#include "core/protocol/cluster_options.hpp"
#include "core/protocol/mutation.hpp"

namespace processhub::protocol {

namespace {

/// A leaving node stays this long for what others still want to hear.
constexpr Duration kLastRows = std::chrono::milliseconds(500);

constexpr std::uint64_t kUnknownVersion = ~std::uint64_t{0};

}  // namespace

HubCore::Parts::Parts(Identity identity, HubConfig config, StrategySet set)
    : ctx(std::move(identity), std::move(config)),
      strategies(std::move(set)),
      registry(*this, ctx.self()),
      links(ctx, *this, cluster_wide_options(ctx.config)),
      publications(ctx),
      membership(ctx, links, *this),
      replication(ctx, registry, links, publications, membership, *this),
      gossiping(ctx, membership, links, replication),
      supervisor(ctx, registry, replication, *this),
      quorum(ctx, links, membership, *strategies.partition_tolerance, *this),
      handover(ctx, registry, links, membership, supervisor, strategies.migration->plan(), *this),
      balancer(ctx, links, strategies.distribution->load_rules()),
      placement(ctx, registry, links, membership, replication, supervisor, quorum, handover, balancer,
                strategies, *this),
      requests(ctx, registry, membership, replication, placement),
      calls(ctx, registry, links, membership, supervisor),
      topics(ctx, publications, links),
      statics(ctx, registry, membership, replication, requests) {
  ctx.sync = strategies.synchronization->plan();
  registry.tell_places(balancer.on());
  calls.prefer_local(!strategies.redundancy->one_active());
}

// -- events of the user
// --------------------------------------------------------------------------------------------------

void HubCore::Parts::on(event::StartChildren& e) { requests.on(std::move(e)); }

void HubCore::Parts::on(event::StopChildren& e) { requests.on(std::move(e)); }

void HubCore::Parts::on(event::UpdateMetadata& e) { requests.on(std::move(e)); }

void HubCore::Parts::on(event::RestartChild& e) {
  const auto* child = registry.winner(e.id);
  if (child == nullptr || child->value->failed || !supervisor.restart(child->uid))
    return requests.on(std::move(e));
  restarting_.emplace(child->uid, e.token);
}

void HubCore::Parts::end_restarts(const Uid& uid, const Result<void>& how) {
  const auto [first, last] = restarting_.equal_range(uid);
  for (auto it = first; it != last; ++it) ctx.emit(effect::CompleteVoid{it->second, how});
  restarting_.erase(first, last);
}

void HubCore::Parts::on_running(const LocalChild& child) {
  if (child.unseen && child.restarts == 0)
    ctx.note(LogPart::children, LogLevel::info, "started", child.spec->spec.id);
  placement.on_started(child.uid);
  end_restarts(child.uid, {});
}

void HubCore::Parts::on(event::MigrateChild& e) { requests.on(std::move(e)); }

void HubCore::Parts::on(event::LockQueue& e) {
  auto before = queue.level();
  auto token = queue.lock(EventQueue::Holder::user, std::move(e.reason), e.level, ctx.now, e.discard);
  note_level(before);
  ctx.emit(effect::CompleteLock{e.token, token});
}

void HubCore::Parts::on(event::UnlockQueue& e) {
  auto before = queue.level();
  bool known = queue.unlock(e.lock);
  note_level(before);
  if (known) return ctx.emit(effect::CompleteVoid{e.token, {}});
  ctx.emit(effect::CompleteVoid{e.token,
                                Error{ErrorCode::invalid, "no lock with this token: it was freed before"}});
}

void HubCore::Parts::on(event::DispatchEvent& e) {
  if (e.scope == Scope::global) {
    // Over the sessions: an event is said once, and nobody would notice that it was lost.
    const UserNews news{e.name, e.body, static_cast<std::uint32_t>(e.priority)};
    for (auto peer : membership.up_peers()) links.send(peer, Lane::control, news);
  }
  ctx.emit(effect::UserEvent{std::move(e.name), e.from ? e.from : ctx.self(), std::move(e.body)});
}

void HubCore::Parts::on(event::LeaveCluster& e) {
  if (leaving()) return ctx.emit(effect::CompleteVoid{e.token, {}});
  leave_token_ = e.token;
  placement.keep_without_heir(false);
  leave_until_ = ctx.now + ctx.config.drain_timeout;
  ctx.hook(hook::HubShutdown{});
  ctx.log(LogPart::hub, LogLevel::info,
          "leaving: handing over " + std::to_string(supervisor.count()) + " children");
  membership.set_status(MemberStatus::leaving);
  links.send_clients_away();
}

void HubCore::Parts::on(event::LoadMeasured& e) {
  balancer.on(e);
  if (balancer.take_round()) placement.rebalance();
}

/// What was published does not follow a child: where it runs now it has subscribed for itself.
void HubCore::Parts::on(event::Undelivered& e) {
  if (!e.message.topic) return supervisor.on(e);
  ++ctx.stats.topics_missed;
}

void HubCore::Parts::on(event::AdminAnswer& e) {
  if (links.send_client(e.client, AdminReply{e.request, e.code, std::move(e.body)}) || e.too_long.empty())
    return;
  links.send_client(e.client, AdminReply{e.request, static_cast<std::uint8_t>(ErrorCode::overloaded),
                                         std::move(e.too_long)});
}

// -- events of the network
// -----------------------------------------------------------------------------------------------

void HubCore::Parts::on(event::Publication& e) {
  std::string_view in = *e.frame;
  auto type = take_preamble(in);
  auto header = type == FrameType::publish ? take_publish_header(in) : std::nullopt;
  auto from = header ? membership.find_hash(header->node) : std::nullopt;
  if (!header || header->hub != hash64(ctx.config.hub_id) || !from || !membership.is_up(*from) ||
      *from == ctx.self()) {
    // Before the handshake, of another hub, or of nobody we know: the handshake brings what is in it.
    ++ctx.stats.bad_frames;
    return;
  }
  membership.on_published(*from);
  if (!publications.received(*from, header->seq)) return;
  std::vector<Message> messages;
  bool wants_ack = false;
  while (!in.empty()) {
    auto part = take_part(in);
    if (!part) {
      ++ctx.stats.bad_frames;
      break;
    }
    ++ctx.stats.messages_in;
    wants_ack = wants_ack || part->kind == message_kind<SpecDelta>();
    if (auto m = decode_message(part->kind, part->body))
      messages.push_back(std::move(*m));
    else
      ++ctx.stats.bad_frames;
  }
  replication.on_publication(*from, wants_ack);
  for (auto& m : messages) {
    if (ctx.tap != nullptr) ctx.tap->note(tapped(Hop::received, *from, m));
    std::visit([&](auto& message) { on(*from, message); }, m);
  }
}

void HubCore::Parts::on_peer_message(NodeId peer, Message message) {
  std::visit([&](auto& m) { on(peer, m); }, message);
}

void HubCore::Parts::on_client_request(std::uint64_t client, AdminRequest request) {
  if (topics.on_client(client, request)) return;
  effect::AdminQuery query{client, request.request, std::move(request.verb), std::move(request.args), {}};
  // "explain/ID": the core does not look into arguments.
  constexpr std::string_view kExplain = "explain/";
  const bool explains = query.verb.starts_with(kExplain);
  if (explains || query.verb == "moves" || query.verb == "inspect")
    query.report = report(explains ? query.verb.substr(kExplain.size()) : std::string());
  ctx.emit(std::move(query));
}

void HubCore::Parts::on_session_up(NodeId peer) {
  membership.on_session_up(peer);
  replication.on_session_up(peer);
  topics.on_session_up(peer);
}

void HubCore::Parts::on_session_end(NodeId peer) {
  membership.on_session_end(peer);
  replication.on_session_end(peer);
  handover.on_session_end(peer);
  placement.on_session_end(peer);
  calls.on_session_end(peer);
}

MemberRecord HubCore::Parts::self_record() {
  auto record = membership.self_record();
  record.declares = StaticChildren::declared(ctx.config);
  return record;
}

// -- the view
// ------------------------------------------------------------------------------------------------------------

void HubCore::Parts::on_member_up(NodeId node) {
  const auto& record = membership.members().at(node).record;
  ctx.emit(effect::Subscribe{record.pub});
  quorum.on_member_up(node);
  note_change();
  cause_ = node;
  cause_joined_ = true;
  registry.touch_rows(node);
}

void HubCore::Parts::on_member_gone(NodeId node, bool left) {
  const auto& record = membership.members().at(node).record;
  if (left && !membership.publishes(record.pub)) ctx.emit(effect::Unsubscribe{record.pub});
  note_change();
  cause_ = node;
  cause_joined_ = false;
  // It went before its last rows came: it has left all the same.
  if (auto words = last_words_.find(node); words != last_words_.end()) words->second.until = ctx.now;
  replication.on_member_gone(node);
  handover.on_member_gone(node);
  quorum.on_member_gone(node, left);
  placement.on_session_end(node);
  calls.on_session_end(node);
  if (left) topics.on_left(node);
  lost_one_ = lost_one_ || stalled_;
  registry.touch_rows(node);
}

void HubCore::Parts::on_status(NodeId node, MemberStatus status) {
  cause_ = node;
  cause_joined_ = status != MemberStatus::leaving;
}

void HubCore::Parts::on_view_changed() {
  note_change();
  view_announced_ = false;
  placement.on_view_changed();
  requests.on_view_changed();
  quorum.check();
}

Heartbeat HubCore::Parts::own_heartbeat() {
  Heartbeat h;
  h.view_digest = membership.view_digest();
  h.table_version = replication.own_version();
  h.table_digest = replication.own_digest();
  h.spec_digest = spec_digest();
  auto self = membership.self_record();
  h.status = self.status;
  h.status_version = self.status_version;
  h.joined = self.joined;
  h.refutation = self.refutation;
  h.published = publications.flushed_seq();
  h.freeze = freeze_;
  const bool news = h.view_digest != announced_.view_digest || h.table_version != announced_.table_version ||
                    h.status_version != announced_.status_version || h.refutation != announced_.refutation ||
                    h.freeze != announced_.freeze;
  // In gossip mode a number stands for what was said with it, and all must hear of it.
  heartbeat_wanted_ = heartbeat_wanted_ || (news && ctx.gossips());
  h.number = announced_.number + (news || !ctx.gossips() ? 1 : 0);
  announced_ = h;
  return h;
}

void HubCore::Parts::on_peer_complete(NodeId) {
  note_change();
  membership.check_joined();
  placement.recheck();
}

void HubCore::Parts::terminate(const std::string& why) {
  if (terminated_) return;
  terminated_ = true;
  supervisor.stop_all(StopReason::conflict);
  ctx.emit(effect::Terminate{why});
}

// -- children
// ------------------------------------------------------------------------------------------------------------

void HubCore::Parts::on_child_changed(Child& child) {
  note_change();
  // One that is only prepared has no row that would keep the child's record until its turn comes.
  if (!child.spec && supervisor.is_prepared(child.uid)) supervisor.stop(child.uid, StopReason::user);
  placement.enqueue(child);
  if (child.op != 0) requests.on_child_changed(child);
  calls.on_child_changed(child);
}

void HubCore::Parts::on_stopped(const LocalChild& child, std::vector<PostedMessage> leftovers) {
  auto* known = registry.find(child.uid);
  bool removed = known == nullptr || !known->spec;
  if (removed && child.stop_reason == StopReason::user)
    ctx.note(LogPart::children, LogLevel::info, "ended", child.spec->spec.id);
  handover.forget(child.uid);
  end_restarts(child.uid, Error{ErrorCode::stopped, "stopped before it ran again"});
  placement.on_ended(child.uid, child.spec->spec.id, !removed);
  if (!removed) placement.enqueue(*known);  // one that was only prepared has no row that changes
  if (!leftovers.empty()) calls.reroute(std::move(leftovers), child.spec->spec.id, removed);
}

void HubCore::Parts::on_undelivered(std::vector<PostedMessage> messages, const std::string& id) {
  calls.reroute(std::move(messages), id, registry.winner(id) == nullptr);
}

void HubCore::Parts::on_start_failed(const LocalChild& child, const std::string& why) {
  ctx.note(LogPart::children, LogLevel::error, "did not start (" + why + ")", child.spec->spec.id);
  auto origin = child.uid.origin;
  if (origin == ctx.self()) {
    requests.on_start_failed(child.uid, why);
  } else {
    links.send(origin, Lane::control, StartFailed{child.uid, why});
  }
  // Nobody waits for it any more (its request ended, or it is a static child): it shows as failed.
  auto* known = registry.find(child.uid);
  if (known != nullptr && known->spec && !(origin != ctx.self() && membership.is_up(origin)))
    on_failed(child, why);
}

void HubCore::Parts::on_failed(const LocalChild& child, const std::string& why) {
  ctx.hook(hook::ChildFailed{child.spec->spec.id, why});
  end_restarts(child.uid, Error{ErrorCode::start_failed, why});
  auto* known = registry.find(child.uid);
  if (known == nullptr) return;
  auto value = known->value->next(ctx.self());
  value.failed = true;
  value.why = why;
  replication.set_value(child.uid, value);
}

void HubCore::Parts::on_finished(const LocalChild& child) {
  if (auto* known = registry.find(child.uid); known != nullptr) remove_child(*known);
}

void HubCore::Parts::remove_child(Child& child) {
  if (child.spec) statics.on_removed(child.spec->spec.id);
  replication.remove_spec(child.uid);
}

// -- redistribution
// ------------------------------------------------------------------------------------------------------

void HubCore::Parts::note_level(int before) {
  auto after = queue.level();
  if (before == after) return;
  note_change();
  ctx.hook(hook::PriorityChanged{before, after});
}

void HubCore::Parts::on_redistribution_begin() {
  auto before = queue.level();
  redistribution_lock_ =
      queue.lock(EventQueue::Holder::redistribution, "redistribution", kLockedLevel, ctx.now);
  note_level(before);
  open_redistribution_ = {cause_.value_or(ctx.self()), !cause_ || cause_joined_};
  ctx.hook(hook::PreRedistribution{open_redistribution_.cause, open_redistribution_.joined});
}

void HubCore::Parts::on_redistribution_end() {
  auto before = queue.level();
  if (!mutated(Mutation::never_unlocks)) queue.unlock(redistribution_lock_);
  note_level(before);
  ctx.hook(open_redistribution_);
}

// -- the last words of a node that leaves

bool HubCore::Parts::has_rows(NodeId node, std::uint64_t version) const {
  const auto table = registry.tables().find(node);
  return version == 0 || (table != registry.tables().end() && table->second.version >= version);
}

/// Its rows travel another way, as a publication: a child that it let go must not look lost.
void HubCore::Parts::on(NodeId from, Leaving& m) {
  if (m.node != from || has_rows(from, m.table_version) || mutated(Mutation::forgets_last_words))
    return membership.on(from, m);
  last_words_[from] = {m.table_version, ctx.now + kLastRows};
}

void HubCore::Parts::on(NodeId from, Farewell& m) {
  if (m.answer) return static_cast<void>(farewells_.erase(from));
  calls.avoid(from);
  links.send(from, Lane::data, Farewell{true});
}

/// This node has nothing any more. True when nobody will send it anything, and all is where it belongs.
bool HubCore::Parts::said_farewell() {
  constexpr Duration kPatience = std::chrono::seconds(3);  // with nodes that do not know this message
  if (farewell_until_ == kNever) {
    farewell_until_ = ctx.now + kPatience;
    for (auto peer : membership.up_peers())
      if (links.send(peer, Lane::control, Farewell{})) farewells_.insert(peer);
  }
  std::erase_if(farewells_, [&](NodeId peer) { return !membership.is_up(peer); });
  const bool answered = calls.open_calls() == 0 || membership.up_peers().empty();
  return (farewells_.empty() && links.data_idle() && answered) || ctx.now >= farewell_until_;
}

/// A leave is news before what the leaving node said of its children, and of who is counted, is here.
void HubCore::Parts::on(NodeId from, MemberNews& m) {
  const bool early = m.verdict == Verdict::left && membership.is_up(m.node);
  if (!early || mutated(Mutation::forgets_last_words)) return membership.on(from, m);
  last_words_.try_emplace(m.node, LastWords{kUnknownVersion, ctx.now + kLastRows});
}

void HubCore::Parts::hear_last_words() {
  for (auto it = last_words_.begin(); it != last_words_.end();) {
    const auto [node, words] = *it;
    const bool over = ctx.now >= words.until || has_rows(node, words.table_version);
    it = over ? last_words_.erase(it) : std::next(it);
    if (over && !membership.has_left(node)) membership.on(node, Leaving{node, words.table_version});
  }
}

}  // namespace processhub::protocol
