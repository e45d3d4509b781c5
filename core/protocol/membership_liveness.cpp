// The failure detector of Membership: heartbeats, suspicion, probes, verdicts; and the search for seeds and
// lost members.
#include <algorithm>
#include <utility>

#include "core/protocol/membership.hpp"

namespace processhub::protocol {

void Membership::on_heard(NodeId node) {
  auto it = members_.find(node);
  if (it == members_.end()) return;
  it->second.last_heard = ctx_.now;
  if (it->second.liveness == Liveness::suspect) clear_suspicion(it->second);
}

void Membership::on_published(NodeId node) {
  auto it = members_.find(node);
  if (it == members_.end()) return;
  it->second.last_heard = ctx_.now;
  auto& m = it->second;
  if (m.liveness == Liveness::suspect && !m.indirect && !blocked(node)) clear_suspicion(m);
}

bool Membership::blocked(NodeId node) const {
  return links_.stuck(node, ctx_.config.suspect_after + ctx_.config.probe_timeout);
}

/// A relayed frame proves that it lives, not that it is within reach.
void Membership::on_heard_through(NodeId node) {
  auto it = members_.find(node);
  if (it != members_.end() && it->second.liveness == Liveness::suspect) still_alive(it->second);
}

void Membership::still_alive(Member& m) {
  m.suspect_until = ctx_.now + ctx_.config.probe_timeout + ctx_.config.suspect_after;
  m.refused = false;
  if (std::exchange(m.indirect, true)) return;
  ctx_.log(LogPart::membership, LogLevel::warn,
           "node " + m.record.id.str() + " is out of reach, but others reach it");
  events_.on_suspicion();
}

void Membership::clear_suspicion(Member& m) {
  m.liveness = Liveness::up;
  m.refused = m.indirect = m.accused = false;
  if (links_.has_session(m.record.id)) watched_.erase(m.record.id);
  links_.relay_no_more(m.record.id);
  answer_helpers(m.record.id, Verdict::alive);
  events_.on_suspicion();
}

void Membership::suspect(Member& m, bool refused) {
  if (m.liveness != Liveness::up && !(m.liveness == Liveness::suspect && refused && !m.refused)) return;
  m.liveness = Liveness::suspect;
  m.refused = refused;
  watched_.insert(m.record.id);
  m.suspect_until = ctx_.now + ctx_.config.probe_timeout;
  ctx_.hook(hook::NodeSuspected{m.record.id});
  events_.on_suspicion();
  if (refused && up_count() <= 2) return make_gone(m, false, "its address refuses connections");
  probe(m);
}

void Membership::probe(Member& m) {
  m.probe_due = ctx_.now + ctx_.config.probe_timeout;
  links_.send(m.record.id, Lane::control, Probe{++next_probe_, m.record.id});
  links_.touch_directly(m.record.id);
  ask_helpers(m);
}

void Membership::ask_helpers(const Member& m) {
  auto peers = up_peers();
  std::erase(peers, m.record.id);
  for (std::uint32_t k = 0; k < ctx_.config.probe_peers && !peers.empty(); ++k) {
    auto pick = static_cast<std::ptrdiff_t>(ctx_.rng.below(peers.size()));
    links_.send(peers[static_cast<std::size_t>(pick)], Lane::control, Probe{++next_probe_, m.record.id});
    peers.erase(peers.begin() + pick);
  }
}

void Membership::on_link_lost(NodeId node, bool refused) {
  auto it = members_.find(node);
  if (it == members_.end() || !is_up(node) || !refused) return;
  suspect(it->second, true);
}

void Membership::on_stranger_gone(NodeId node) {
  auto it = members_.find(node);
  if (it == members_.end() || it->second.liveness != Liveness::known || it->second.told_by) return;
  by_hash_.erase(node.hash());
  members_.erase(it);
}

void Membership::on_refused(const Refusal& r) {
  const bool news = refusals_.insert(r.from.str() + r.why).second;
  if (news) ctx_.log(LogPart::membership, LogLevel::error, "refused by " + r.from.str() + ": " + r.why);
  if (!r.final) return;
  // A member that already works with others is not thrown out by one peer's opinion; a newcomer cannot go on.
  // Nor is there room for two lives of one name: the earlier one goes, whatever it believes.
  const bool outlived = r.highest_incarnation > ctx_.self().incarnation();
  if (outlived || up_count() == 1 || !joined())
    events_.terminate("refused by " + r.from.str() + ": " + r.why);
}

void Membership::on(NodeId from, const Heartbeat& h) {
  auto it = members_.find(from);
  if (it == members_.end()) return;
  auto& m = it->second;
  // Overtaken on another way: a later one is here, and nobody may repeat it.
  if (m.announced && h.number < m.last.number) return events_.on_heartbeat(from, m.last);
  m.last = h;
  m.announced = true;
  ++changes_;
  if (h.refutation > m.record.refutation) m.record.refutation = h.refutation;
  if (h.status_version > m.record.status_version) {
    m.record.status_version = h.status_version;
    m.record.status = h.status;
    m.record.joined = h.joined;
    count(m);
    if (is_up(from)) events_.on_status(from, h.status);
    refresh_digest();
  }
  events_.on_heartbeat(from, h);
  check_joined();
}

void Membership::on(NodeId from, const MemberNews& news) {
  if (news.node == ctx_.self()) {
    if (news.verdict == Verdict::alive || from == ctx_.self()) return;
    if (self_.status == MemberStatus::leaving && news.verdict == Verdict::left) return;
    self_.refutation = std::max(self_.refutation, news.refutation) + 1;  // we live: say so
    events_.publish_heartbeat();
    return;
  }
  auto it = members_.find(news.node);
  if (it == members_.end()) return;
  auto& m = it->second;
  if (news.verdict == Verdict::left) {
    if (m.liveness != Liveness::left) make_gone(m, true, "");
    return;
  }
  // Somebody else's verdict is a reason to look, not a fact.
  if (news.verdict != Verdict::alive && m.liveness == Liveness::up &&
      ctx_.now - m.last_heard > ctx_.config.heartbeat_interval) {
    suspect(m, links_.refused(news.node));
    m.accused = m.liveness == Liveness::suspect;
  }
}

void Membership::on(NodeId from, const Members& news) {
  for (auto id : news.left) {
    auto it = members_.find(id);
    if (it != members_.end() && it->second.liveness != Liveness::left) make_gone(it->second, true, "");
  }
  for (const auto& r : news.up) {
    if (r.id.name() == ctx_.self().name()) {
      if (r.id.incarnation() > ctx_.self().incarnation()) {
        return events_.terminate("a newer life of this node's name, " + r.id.str() + ", is in the cluster");
      }
      continue;
    }
    auto it = members_.find(r.id);
    if (it != members_.end() && it->second.liveness == Liveness::left) continue;
    if (has_left(r.id)) continue;
    learn(r);
    if (is_up(r.id)) continue;
    links_.open(r.id, r.router);
    // Not always the last: who tells may need a relay to it, too, and may ever be the last.
    if (auto& teller = members_[r.id].told_by; !teller || ctx_.rng.below(2) == 0) teller = from;
  }
  refresh_digest();
}

void Membership::on(NodeId from, const Leaving& leaving) {
  auto it = members_.find(leaving.node);
  if (it == members_.end() || leaving.node != from) return;
  make_gone(it->second, true, "");
}

void Membership::on(NodeId from, const Probe& p) {
  if (p.target == ctx_.self()) {
    links_.send(from, Lane::control, ProbeReply{p.nonce, p.target, Verdict::alive, events_.own_heartbeat()});
    return;
  }
  auto it = members_.find(p.target);
  if (it == members_.end() || !is_up(p.target)) {
    auto verdict =
        it != members_.end() && it->second.liveness == Liveness::left ? Verdict::left : Verdict::silent;
    if (it != members_.end() && links_.refused(p.target)) verdict = Verdict::refused;
    links_.send(from, Lane::control, ProbeReply{p.nonce, p.target, verdict, std::nullopt});
    return;
  }
  if (links_.refused(p.target) || links_.relayed(p.target)) {
    auto verdict =
        links_.refused(p.target) ? Verdict::refused : Verdict::silent;  // no help: we need some too
    links_.send(from, Lane::control, ProbeReply{p.nonce, p.target, verdict, std::nullopt});
    return;
  }
  helping_.push_back({from, p.target, p.nonce, ctx_.now + ctx_.config.probe_timeout});
  links_.send(p.target, Lane::control, Probe{++next_probe_, p.target});
}

void Membership::answer_helpers(NodeId target, Verdict verdict) {
  std::optional<Heartbeat> last;
  if (auto it = members_.find(target); it != members_.end() && it->second.announced) last = it->second.last;
  for (const auto& h : helping_) {
    if (h.target == target) links_.send(h.asker, Lane::control, ProbeReply{h.nonce, target, verdict, last});
  }
  std::erase_if(helping_, [&](const auto& h) { return h.target == target; });
}

void Membership::on(NodeId from, const ProbeReply& r) {
  if (r.target == from) {
    if (auto it = challengers_.find(from); it != challengers_.end() && it->second.probe == r.nonce)
      it->second.answered = true;
    if (r.last) on(from, *r.last);
    answer_helpers(from, Verdict::alive);
    return;
  }
  auto it = members_.find(r.target);
  if (it == members_.end() || it->second.liveness != Liveness::suspect) return;
  auto& m = it->second;
  if (r.verdict == Verdict::alive) {
    // Only others reach it: it stays in the view as long as they say so, and we keep asking.
    still_alive(m);
    links_.relay_through(r.target, from);
    if (r.last) on(r.target, *r.last);
    if (links_.refused(r.target)) links_.open(r.target, m.record.router);
  } else if (r.verdict == Verdict::left) {
    make_gone(m, true, "");
  } else if (r.verdict == Verdict::refused && m.refused) {
    make_gone(m, false, "its address refuses connections, " + std::string(from.name()) + " confirms");
  }
}

/// In gossip mode nobody is heard all the time: silent is who does not confirm what was sent to it.
bool Membership::silent(const Member& m) const {
  if (ctx_.gossips()) return links_.stuck(m.record.id, ctx_.config.suspect_after);
  return ctx_.now - m.last_heard > ctx_.config.suspect_after || blocked(m.record.id);
}

std::vector<NodeId> Membership::worth_watching() const {
  if (!ctx_.gossips()) return up_peers();
  std::vector<NodeId> out(watched_.begin(), watched_.end());
  for (const auto& [due, id] : links_.waiting())
    if (!watched_.contains(id) && is_up(id) && id != ctx_.self()) out.push_back(id);
  return out;
}

void Membership::check_silence() {
  std::vector<NodeId> dead;
  for (auto id : worth_watching()) {
    auto& m = members_.at(id);
    if (m.liveness == Liveness::up && silent(m)) suspect(m, false);
    if (m.liveness != Liveness::suspect) continue;
    if (ctx_.now >= m.suspect_until) {
      dead.push_back(id);
    } else if (ctx_.now >= m.probe_due) {
      probe(m);
    }
  }
  for (auto id : dead)
    make_gone(members_[id], false,
              members_[id].refused ? "its address refuses connections"
                                   : "silent for " + seconds_text(ctx_.now - members_[id].last_heard));
  for (const auto& h : helping_) {
    if (ctx_.now >= h.until)
      links_.send(h.asker, Lane::control, ProbeReply{h.nonce, h.target, Verdict::silent, std::nullopt});
  }
  std::erase_if(helping_, [&](const auto& h) { return ctx_.now >= h.until; });
}

void Membership::discover() {
  for (const auto& seed : seeds_) {
    bool met = std::any_of(members_.begin(), members_.end(),
                           [&](const auto& m) { return m.second.record.router == seed && is_up(m.first); });
    if (!met) links_.try_endpoint(seed);
  }
  for (auto& [id, m] : members_) {
    if (!(m.liveness == Liveness::down || m.liveness == Liveness::known) || has_left(id)) continue;
    links_.open(id, m.record.router);
    if (is_up(m.told_by)) links_.relay_through(id, m.told_by);
  }
  // Views that stay different may lack a member that only some can reach. (Gossip compares them anyway.)
  if (!ctx_.gossips() && !agreed())
    for (auto peer : up_peers()) tell_members(peer);
}

void Membership::check_joined() {
  if (joined()) return;
  bool waited = ctx_.now - started_ >= ctx_.config.join_timeout;
  for (const auto& seed : seeds_) {
    auto met = std::find_if(members_.begin(), members_.end(),
                            [&](const auto& m) { return m.second.record.router == seed; });
    bool here = met != members_.end() && is_up(met->first);
    if (here && !events_.synced_with(met->first)) return;
    if (!here && !waited) return;
  }
  for (const auto& [id, m] : members_)
    if (is_up(m) && !events_.synced_with(id)) return;
  if (up_count() == 1 && !seeds_.empty() && !warned_alone_) {
    warned_alone_ = true;
    ctx_.log(LogPart::membership, LogLevel::warn, "no seed answered: running alone, still looking");
  }
  for (const auto& [id, m] : members_)
    if (is_up(m)) self_.joined = std::max(self_.joined, m.record.joined);
  ++self_.joined;
  set_status(MemberStatus::synced);
}

void Membership::tick() {
  const bool beat = ctx_.now >= heartbeat_due_;
  if (beat) {
    heartbeat_due_ = ctx_.now + ctx_.config.heartbeat_interval;
    if (ctx_.gossips())
      events_.gossip();
    else if (!self_.router.empty())
      events_.publish_heartbeat();
  }
  if (beat || ctx_.now >= silence_due()) check_silence();
  check_joined();
  if (ctx_.now >= discover_due_) {
    discover_due_ = ctx_.now + ctx_.config.discover_interval;
    discover();
  }
}

/// In gossip mode a heartbeat's tick finds who is silent: that somebody is waited for is no reason to look.
Time Membership::silence_due() const {
  Time due = kNever;
  for (auto id : watched_) {
    const auto& m = members_.at(id);
    if (m.liveness == Liveness::suspect) due = std::min({due, m.suspect_until, m.probe_due});
  }
  if (!ctx_.gossips()) {
    for (const auto& [id, m] : members_)
      if (m.liveness == Liveness::up) due = std::min(due, m.last_heard + ctx_.config.suspect_after);
  }
  for (const auto& h : helping_) due = std::min(due, h.until);
  return due;
}

Time Membership::next_deadline() const {
  Time due = std::min({heartbeat_due_, discover_due_, silence_due()});
  // Past join_timeout the heartbeat's tick looks again.
  auto waited = started_ + Duration(ctx_.config.join_timeout);
  if (!joined() && waited > ctx_.now) due = std::min(due, waited);
  return due;
}

}  // namespace processhub::protocol
