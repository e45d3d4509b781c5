#include "core/protocol/membership.hpp"

#include <algorithm>
#include <utility>

#include "core/hash.hpp"
#include "core/protocol/mutation.hpp"

namespace processhub::protocol {

namespace {

std::uint64_t share_of(const MemberRecord& r) {
  std::uint64_t x = r.id.hash() ^ (static_cast<std::uint64_t>(r.status) + 1) * 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  return x ^ (x >> 27);
}

}  // namespace

Membership::Membership(Context& context, Links& links, MembershipEvents& events)
    : ctx_(context), links_(links), events_(events) {
  self_.id = ctx_.self();
  self_.router = ctx_.identity.router_endpoint;
  self_.pub = ctx_.identity.pub_endpoint;
  self_.weight = ctx_.config.weight;
  self_.zone = ctx_.config.zone;
  self_.roles = ctx_.config.roles;
  self_.types = ctx_.identity.types;
  self_.status_version = 1;
  by_hash_[ctx_.self().hash()] = ctx_.self();
}

void Membership::start() {
  started_ = ctx_.now;
  heartbeat_due_ = ctx_.now;
  discover_due_ = ctx_.now + ctx_.config.discover_interval;
  for (const auto& seed : ctx_.config.seeds) {
    if (seed != self_.router && std::find(seeds_.begin(), seeds_.end(), seed) == seeds_.end())
      seeds_.push_back(seed);
  }
  refresh_digest();
  if (self_.router.empty()) seeds_.clear();
  for (const auto& seed : seeds_) links_.try_endpoint(seed);
  check_joined();
}

bool Membership::is_up(NodeId node) const {
  if (node == ctx_.self()) return true;
  if (mutated(Mutation::accepts_earlier_life) && up_life_of(node) != nullptr) return true;
  auto it = members_.find(node);
  return it != members_.end() && is_up(it->second);
}

bool Membership::said_leave(NodeId node) const {
  const auto it = members_.find(node);
  return it != members_.end() && it->second.liveness == Liveness::left && !superseded(node);
}

bool Membership::has_left(NodeId node) const {
  if (node == ctx_.self()) return false;
  auto it = members_.find(node);
  if (it != members_.end() && it->second.liveness == Liveness::left) return true;
  if (node.name() == ctx_.self().name()) return node.incarnation() < ctx_.self().incarnation();
  return superseded(node);
}

bool Membership::superseded(NodeId node) const {
  // Ordered by name, then incarnation: the next one is the next life of the name, if there is any.
  auto next = members_.upper_bound(node);
  return next != members_.end() && next->first.name() == node.name();
}

/// Earlier lives of a name are over once a later one is up.
void Membership::end_earlier_lives(NodeId node) {
  const auto now = members_.find(node);
  for (auto it = now; it != members_.begin() && std::prev(it)->first.name() == node.name();) {
    auto& [id, m] = *--it;
    m.liveness = Liveness::left;
    // A life that comes back at the same address is subscribed to already.
    if (m.record.pub != now->second.record.pub && !publishes(m.record.pub))
      ctx_.emit(effect::Unsubscribe{m.record.pub});
    m.down_since = ctx_.now;
    ++changes_;
    count(m);
    watched_.erase(id);
    links_.close(id);
  }
}

std::vector<NodeId> Membership::forget_superseded(const std::function<bool(NodeId)>& needed) {
  std::vector<NodeId> gone;
  for (const auto& [id, m] : members_)
    if (m.liveness == Liveness::left && superseded(id) && !needed(id)) gone.push_back(id);
  for (auto id : gone) {
    by_hash_.erase(id.hash());
    members_.erase(id);
  }
  return gone;
}

bool Membership::is_gone(NodeId node) const { return !is_up(node); }

bool Membership::publishes(const std::string& pub) const {
  return std::any_of(members_.begin(), members_.end(),
                     [&](const auto& m) { return is_up(m.second) && m.second.record.pub == pub; });
}

std::vector<NodeId> Membership::up_peers() const {
  std::vector<NodeId> out;
  for (const auto& [id, m] : members_)
    if (is_up(m)) out.push_back(id);
  return out;
}

std::vector<NodeId> Membership::fresh_peers() const {
  constexpr Duration kFresh = std::chrono::seconds(2);
  std::vector<NodeId> out;
  for (const auto& [id, m] : members_)
    if (is_up(m) && ctx_.now - m.up_since < kFresh) out.push_back(id);
  return out;
}

std::size_t Membership::up_count() const { return up_peers().size() + 1; }

bool Membership::newcomer_expected() const {
  return std::any_of(members_.begin(), members_.end(), [&](const auto& m) {
    if (is_up(m.first)) return m.second.record.status == MemberStatus::joining;
    return m.second.liveness == Liveness::left && ctx_.now - m.second.down_since < ctx_.config.join_timeout;
  });
}

bool Membership::agreed() const {
  return std::all_of(members_.begin(), members_.end(), [&](const auto& m) {
    return !is_up(m.second) || (m.second.announced && m.second.last.view_digest == digest_);
  });
}

void Membership::count(Member& m) {
  const auto share = is_up(m) ? share_of(m.record) : 0;
  sum_ += share - std::exchange(m.share, share);
}

void Membership::refresh_digest() {
  const auto digest = sum_ + share_of(self_);
  if (digest == digest_) return;
  digest_ = digest;
  events_.publish_heartbeat();
  events_.on_view_changed();
}

HubView Membership::eligible_view() const {
  HubView view;
  view.self = ctx_.self();
  view.now = ctx_.now;
  view.up_count = up_count();
  auto add = [&](const MemberRecord& r) {
    if (r.status == MemberStatus::synced) view.members.push_back({r.id, r.weight, r.zone, r.roles, r.joined});
  };
  add(self_);
  for (const auto& [id, m] : members_)
    if (is_up(m)) add(m.record);
  std::sort(view.members.begin(), view.members.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  return view;
}

TypeOffers Membership::offers(const HubView& view) const {
  TypeOffers out;
  for (const auto& member : view.members)
    out.add(member.id, member.id == ctx_.self() ? self_.types : members_.at(member.id).record.types);
  return out;
}

std::optional<NodeId> Membership::find_hash(std::uint64_t node_hash) const {
  auto it = by_hash_.find(node_hash);
  if (it == by_hash_.end()) return std::nullopt;
  return it->second;
}

std::vector<NodeInfo> Membership::infos() const {
  auto own = self_.status == MemberStatus::joining   ? NodeState::joining
             : self_.status == MemberStatus::leaving ? NodeState::leaving
                                                     : NodeState::up;
  std::vector<NodeInfo> out{{self_.id, self_.router, own, self_.zone, self_.weight}};
  for (const auto& [id, m] : members_) {
    NodeState state = NodeState::up;
    if (m.liveness == Liveness::known) continue;
    // One life of a name: the one that is up, else the latest.
    if (!is_up(id) && (superseded(id) || up_life_of(id) != nullptr)) continue;
    if (m.liveness == Liveness::down) state = NodeState::down;
    if (m.liveness == Liveness::left) state = NodeState::left;
    if (m.liveness == Liveness::up && m.record.status == MemberStatus::joining) state = NodeState::joining;
    if (m.liveness == Liveness::up && m.record.status == MemberStatus::leaving) state = NodeState::leaving;
    if (m.liveness == Liveness::suspect) state = m.indirect ? NodeState::indirect : NodeState::suspect;
    out.push_back({id, m.record.router, state, m.record.zone, m.record.weight});
  }
  std::sort(out.begin(), out.end(), [](const NodeInfo& a, const NodeInfo& b) { return a.id < b.id; });
  return out;
}

/// The life of this name that is up, if any: the lives of a name stand side by side.
const Member* Membership::up_life_of(NodeId node) const {
  auto it = members_.lower_bound(node);
  while (it != members_.begin() && std::prev(it)->first.name() == node.name()) --it;
  for (; it != members_.end() && it->first.name() == node.name(); ++it)
    if (is_up(it->second)) return &it->second;
  return nullptr;
}

void Membership::learn(const MemberRecord& record) {
  if (!record.id || record.id == ctx_.self()) return;
  auto [it, fresh] = members_.try_emplace(record.id);
  auto& m = it->second;
  by_hash_[record.id.hash()] = record.id;
  if (fresh || record.status_version >= m.record.status_version) m.record = record;
  count(m);
}

LinkEvents::Admission Membership::on_hello(const Hello& h) {
  LinkEvents::Admission out;
  auto id = h.self.id;
  auto refusal = [&](std::string why) {
    Refusal r;
    r.hub_id = ctx_.config.hub_id;
    r.to = id;
    r.from = ctx_.self();
    r.why = std::move(why);
    return r;
  };
  if (id.name() == ctx_.self().name()) {
    if (id.incarnation() > ctx_.self().incarnation() && joined()) {
      // We live and were there first: the newcomer has to go, and both ends say so.
      ctx_.log(LogPart::membership, LogLevel::error,
               "refused a second node named '" + std::string(id.name()) + "' at " + h.self.router);
    }
    out.refusal =
        refusal("the name '" + std::string(id.name()) + "' is taken by a living node at " + self_.router);
    return out;
  }
  const auto* old = up_life_of(id);
  if (old != nullptr && old->record.id.incarnation() > id.incarnation()) {
    out.refusal = refusal("a later life of '" + std::string(id.name()) + "' is a member");
    out.refusal->highest_incarnation = old->record.id.incarnation();
    return out;
  }
  auto it = members_.find(id);
  if (it != members_.end() && it->second.liveness == Liveness::left)
    return out;  // it said goodbye: a late hello
  if (old != nullptr && old->record.id != id) {
    auto& challenge = challengers_[old->record.id];
    if (challenge.newcomer == id && challenge.answered) {
      challengers_.erase(old->record.id);
      out.refusal = refusal("the name '" + std::string(id.name()) + "' is taken by a living node at " +
                            old->record.router);
      ctx_.log(LogPart::membership, LogLevel::error,
               "refused a second node named '" + std::string(id.name()) + "' at " + h.self.router);
      return out;
    }
    if (challenge.newcomer == id) return out;  // it keeps asking until the verdict on its old life is there
    challenge = {id, ++next_probe_, false};
    links_.send(old->record.id, Lane::control, Probe{challenge.probe, old->record.id});
    if (old->liveness == Liveness::up) suspect(members_[old->record.id], links_.refused(old->record.id));
    return out;
  }
  learn(h.self);
  refresh_digest();  // a later hello of a member may bring a new status
  if (h.target_name.empty()) members_.at(id).asks = true;
  out.accept = true;
  return out;
}

void Membership::on_own_endpoint(const std::string& endpoint) {
  own_seeds_[endpoint] = true;
  std::erase(seeds_, endpoint);
  check_joined();
}

void Membership::on_session_up(NodeId node) {
  auto it = members_.find(node);
  if (it == members_.end()) return;
  auto& m = it->second;
  m.last_heard = ctx_.now;
  if (m.liveness != Liveness::up) make_up(m);
  watched_.erase(node);
  // In gossip mode a newcomer is told once, by who it came to: else a cluster of N that boots tells N³
  // records.
  if (std::exchange(m.asks, false) || !ctx_.gossips()) tell_members(node);
  links_.send(node, Lane::control, events_.own_heartbeat());
}

void Membership::on_session_end(NodeId node) {
  auto it = members_.find(node);
  if (it == members_.end() || !is_up(it->second)) return;
  watched_.insert(node);
}

void Membership::tell_members(NodeId peer) {
  Members news;
  news.up.push_back(self_);
  for (const auto& [id, other] : members_) {
    if (id == peer) continue;
    if (is_up(other)) news.up.push_back(other.record);
    if (other.liveness == Liveness::left) news.left.push_back(id);
  }
  links_.send(peer, Lane::control, news);
}

void Membership::make_up(Member& m) {
  auto id = m.record.id;
  ++changes_;
  bool returning = m.liveness == Liveness::suspect;
  if (!returning) ctx_.hook(hook::PreClusterJoin{id});
  m.liveness = Liveness::up;
  m.last_heard = ctx_.now;
  m.refused = m.indirect = m.accused = false;
  if (!returning) {
    m.announced = false;
    m.up_since = ctx_.now;
  }
  count(m);
  end_earlier_lives(id);
  events_.on_member_up(id);
  refresh_digest();
  if (!returning) {
    ++ctx_.meters.members_up;
    ctx_.hook(hook::PostClusterJoin{id});
    ctx_.log(LogPart::membership, LogLevel::info, "node " + id.str() + " is up");
  }
}

void Membership::make_gone(Member& m, bool left, const std::string& why) {
  auto id = m.record.id;
  ++changes_;
  bool was_up = is_up(id);
  if (was_up) ctx_.hook(hook::PreClusterLeave{id, left});
  m.liveness = left ? Liveness::left : Liveness::down;
  count(m);
  m.down_since = ctx_.now;
  m.announced = m.indirect = false;
  watched_.erase(id);
  m.told_by = {};
  if (left) {
    links_.close(id);
  } else {
    links_.end_session(id);
  }
  answer_helpers(id, left ? Verdict::left : m.refused ? Verdict::refused : Verdict::silent);
  if (was_up) {
    ++(left ? ctx_.meters.members_left : ctx_.meters.members_down);
    events_.on_member_gone(id, left);
    MemberNews news{id,
                    left        ? Verdict::left
                    : m.refused ? Verdict::refused
                                : Verdict::silent,
                    m.record.refutation};
    // In gossip mode who was told by another has nothing new to say.
    if (!(ctx_.gossips() && std::exchange(m.accused, false))) events_.publish_news(news);
    refresh_digest();
    ctx_.hook(hook::PostClusterLeave{id, left});
    ctx_.log(LogPart::membership, left ? LogLevel::info : LogLevel::warn,
             "node " + id.str() + (left ? " left" : " is down: " + why));
  }
  if (auto c = challengers_.find(id); c != challengers_.end()) challengers_.erase(c);
  check_joined();
}

void Membership::set_status(MemberStatus status) {
  if (self_.status == status) return;
  self_.status = status;
  ++self_.status_version;
  events_.on_status(ctx_.self(), status);
  refresh_digest();
}

void Membership::say_leave(std::uint64_t table_version) {
  for (auto peer : up_peers()) links_.send(peer, Lane::control, Leaving{ctx_.self(), table_version});
  events_.publish_news({ctx_.self(), Verdict::left, self_.refutation});
}

void Membership::forgive_silence() {
  for (auto& [id, m] : members_) {
    if (!is_up(m)) continue;
    m.last_heard = ctx_.now;
    m.liveness = Liveness::up;
    m.refused = m.indirect = m.accused = false;
    if (links_.has_session(id)) watched_.erase(id);
  }
  helping_.clear();
}

}  // namespace processhub::protocol
