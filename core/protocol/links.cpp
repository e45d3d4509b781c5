#include "core/protocol/links.hpp"

#include <algorithm>
#include <utility>

#include "core/hash.hpp"
#include "core/protocol/cluster_options.hpp"

namespace processhub::protocol {

namespace {

constexpr Duration kHelloFirst = std::chrono::milliseconds(50);
constexpr Duration kHelloMax = std::chrono::seconds(1);
constexpr std::size_t kMaxHello = 1U << 20;                    // a member record with many static children
constexpr std::size_t kMaxSessionFrame = kFrameTarget + 1024;  // sessions cut what is longer
constexpr std::size_t kMaxStrangers = 128;                     // hellos of unknown nodes that lead nowhere
constexpr Duration kStrangerPatience = std::chrono::seconds(10);
constexpr std::uint64_t kEnvelope = 64 * 1024;  // around the longest body: ids, names
constexpr int kSeedTries = 40;  // hellos on one seed connection before the next discover round takes over

template <class M>
Bytes frame_of(FrameType type, const M& message) {
  Bytes frame;
  put_preamble(frame, type);
  Writer w(frame);
  put(w, message);
  return frame;
}

template <class M>
std::optional<M> parse(std::string_view body) {
  Reader r(body);
  M m{};
  get(r, m);
  if (r.bad()) return std::nullopt;
  return m;
}

}  // namespace

Links::Links(Context& context, LinkEvents& events, std::string options)
    : ctx_(context), events_(events), options_digest_(hash64(options)), options_(std::move(options)) {
  // Nonces of one incarnation only grow, so that a late copy of an old hello is recognised.
  last_nonce_ = ctx_.rng.next() >> 16;
}

SessionLimits Links::limits() const {
  SessionLimits l;
  l.ring_bytes = ctx_.config.link_ring_bytes;
  l.max_message = ctx_.config.max_message_size + kEnvelope;
  return l;
}

LinkSession* Links::session_of(NodeId peer) {
  auto it = peers_.find(peer);
  return it == peers_.end() ? nullptr : it->second.session.get();
}

bool Links::has_session(NodeId peer) const {
  auto it = peers_.find(peer);
  return it != peers_.end() && it->second.session;
}

bool Links::refused(NodeId peer) const {
  auto it = peers_.find(peer);
  return it != peers_.end() && it->second.refused;
}

void Links::try_endpoint(const std::string& endpoint) {
  auto [it, fresh] = seeds_.try_emplace(endpoint);
  auto& seed = it->second;
  if (fresh) {
    seed.link = ++last_link_;
    seed.token = fresh_nonce();
    ctx_.emit(effect::Connect{seed.link, endpoint});
  }
  seed.tries = 0;
  seed.hello_due = ctx_.now;
}

void Links::open(NodeId id, const std::string& endpoint) {
  auto& peer = peers_[id];
  if (peer.link != 0 && peer.endpoint != endpoint && !endpoint.empty()) {
    ctx_.emit(effect::Disconnect{peer.link});
    links_.erase(peer.link);
    peer.link = 0;
  }
  if (peer.link == 0) {
    peer.endpoint = endpoint;
    peer.link = ++last_link_;
    links_[peer.link] = id;
    ctx_.emit(effect::Connect{peer.link, endpoint});
  }
  touched_.insert(id);
  if (peer.nonce == 0) peer.nonce = fresh_nonce();
  if (!peer.wanted || peer.hello_wait == Duration::zero()) {
    peer.hello_wait = kHelloFirst;
    peer.hello_due = ctx_.now;
  }
  peer.wanted = true;
  expect(id, peer);
}

void Links::end_session(NodeId id) {
  auto it = peers_.find(id);
  if (it == peers_.end()) return;
  auto& peer = it->second;
  peer.wanted = false;
  peer.nonce = fresh_nonce();
  expect(id, peer);
  if (!peer.session) return;
  sessions_.erase(peer.session->id());
  ctx_.stats.resends += peer.session->resends();
  peer.session.reset();
  touched_.insert(id);
  peer.without_session = ctx_.now;
  relays_.drop(id);
  events_.on_session_end(id);
}

void Links::close(NodeId id) {
  end_session(id);
  auto it = peers_.find(id);
  if (it == peers_.end()) return;
  if (it->second.link != 0) {
    ctx_.emit(effect::Disconnect{it->second.link});
    links_.erase(it->second.link);
  }
  due_.erase({it->second.due, id});
  expected_.erase(it->second.expected);
  peers_.erase(it);
  strangers_.erase(id);
}

NodeId Links::peer_at(LinkId link) const {
  auto it = links_.find(link);
  return it == links_.end() ? NodeId{} : it->second;
}

Hello Links::own_hello() {
  Hello h;
  h.hub_id = ctx_.config.hub_id;
  h.self = events_.self_record();
  h.options_digest = options_digest_;
  h.options = options_;
  return h;
}

void Links::say_hello(NodeId id, Peer& peer) {
  auto h = own_hello();
  h.target_name = std::string(id.name());
  h.target_incarnation = id.incarnation();
  h.nonce = peer.nonce;
  h.echo_nonce = peer.their_nonce;
  h.echo_token = peer.echo_token;
  auto frame = frame_of(FrameType::hello, h);
  // An address may come within reach again: a hello takes both ways.
  if (relayed(id)) ctx_.emit(effect::SendLink{peer.link, frame});
  send_frame(id, peer, std::move(frame));
  peer.hello_wait = std::min(std::max(peer.hello_wait * 2, kHelloFirst), kHelloMax);
  peer.hello_due = ctx_.now + peer.hello_wait;
}

void Links::say_hello_to_seed(Seed& seed) {
  auto h = own_hello();
  h.link_token = seed.token;
  ctx_.emit(effect::SendLink{seed.link, frame_of(FrameType::hello, h)});
  seed.hello_due = ++seed.tries < kSeedTries ? ctx_.now + kHelloFirst * std::min(seed.tries, 10) : kNever;
}

void Links::bad_frame(const char* why) {
  // One line for the first and then for each power of two: a flood of garbage must not become a flood of log
  // lines.
  auto n = ++ctx_.stats.bad_frames;
  if ((n & (n - 1)) == 0)
    ctx_.log(LogPart::links, LogLevel::warn,
             std::string("ignored a frame: ") + why + " (" + std::to_string(n) + " so far)");
}

void Links::refuse(std::optional<RouteId> route, const Refusal& refusal) {
  if (route) ctx_.emit(effect::SendRoute{*route, frame_of(FrameType::refusal, refusal)});
}

bool Links::acceptable(const Hello& h, std::optional<RouteId> route) {
  bool client = h.role == PeerRole::client;
  if (h.hub_id != ctx_.config.hub_id && !(client && h.hub_id.empty())) {
    bad_frame("hello for another hub");
    refuse(route, {h.hub_id, h.self.id, ctx_.self(),
                   "this is hub '" + ctx_.config.hub_id + "', not '" + h.hub_id + "'", 0, false});
    return false;
  }
  if (h.version_min > kProtocolVersion || h.version_max < kProtocolVersion) {
    refuse(route, {ctx_.config.hub_id, h.self.id, ctx_.self(),
                   "protocol version " + std::to_string(kProtocolVersion) + " is spoken here, not " +
                       std::to_string(h.version_min) + ".." + std::to_string(h.version_max),
                   0});
    bad_frame("hello with a protocol version that is not spoken here");
    return false;
  }
  bool for_us = h.target_name.empty() ||
                (h.target_name == ctx_.self().name() && h.target_incarnation == ctx_.self().incarnation());
  if (!for_us) bad_frame("hello for another node");
  return for_us && h.self.id;
}

std::optional<Hello> Links::parse_hello(std::string_view body) { return parse<Hello>(body); }

Bytes Links::hello_frame(const Hello& hello) { return frame_of(FrameType::hello, hello); }

void Links::on_hello(RouteId route, std::string_view body) {
  if (body.size() > kMaxHello) return bad_frame("hello that is too long");
  auto h = parse_hello(body);
  if (!h) return bad_frame("hello that does not parse");
  if (h->self.id == ctx_.self()) {
    for (auto& [endpoint, seed] : seeds_) {
      if (seed.token != h->link_token || seed.link == 0) continue;
      ctx_.emit(effect::Disconnect{seed.link});
      seed.link = 0;
      seed.hello_due = kNever;
      return events_.on_own_endpoint(endpoint);
    }
    return;
  }
  if (!acceptable(*h, route)) return;
  if (h->role == PeerRole::client) return on_client_hello(route, *h);
  on_node_hello(route, *h);
}

void Links::adopt_seed(NodeId id, Peer& peer, std::uint64_t token) {
  if (token == 0) return;
  for (auto it = seeds_.begin(); it != seeds_.end(); ++it) {
    if (it->second.token != token) continue;
    if (peer.link == 0) {
      peer.link = it->second.link;
      peer.endpoint = it->first;
      links_[peer.link] = id;
    } else if (it->second.link != 0) {
      ctx_.emit(effect::Disconnect{it->second.link});
    }
    seeds_.erase(it);
    return;
  }
}

void Links::on_node_hello(std::optional<RouteId> route, const Hello& h) {
  if (h.options_digest != options_digest_) {
    const auto why = options_difference(ctx_.self(), options_, h.self.id, h.options);
    refuse(route, {ctx_.config.hub_id, h.self.id, ctx_.self(), why, 0});
    return ctx_.log(LogPart::links, LogLevel::error, "refused " + h.self.id.str() + ": " + why);
  }
  auto admission = events_.on_hello(h);
  if (admission.refusal) refuse(route, *admission.refusal);
  if (!admission.accept) return;
  if (!peers_.contains(h.self.id) && strangers_.size() >= kMaxStrangers)
    return bad_frame("hello of one stranger too many");
  auto [at, stranger] = peers_.try_emplace(h.self.id);
  auto& peer = at->second;
  if (stranger) strangers_[h.self.id] = ctx_.now;
  adopt_seed(h.self.id, peer, h.echo_token);
  if (peer.link == 0) open(h.self.id, h.self.router);
  if (h.link_token != 0) peer.echo_token = h.link_token;
  if (peer.nonce == 0) peer.nonce = fresh_nonce();
  // Only who has seen our latest hello can end a session: a late copy of a hello has not, nor has a stranger.
  const bool proven = h.nonce != 0 && h.echo_nonce == peer.nonce;
  if (peer.session && h.nonce != 0 && h.nonce != peer.their_nonce) {
    // If it has really forgotten the session, it says so when it hears of it.
    if (!proven) return ctx_.emit(effect::SendLink{peer.link, peer.session->bare_ack()});
    end_session(h.self.id);
  }
  if (h.nonce != 0) peer.their_nonce = h.nonce;
  peer.wanted = true;
  expect(h.self.id, peer);
  touched_.insert(h.self.id);
  bool fresh = false;
  if (h.nonce != 0 && h.echo_nonce == peer.nonce && !peer.session) {
    establish(h.self.id, peer);
    fresh = true;
  }
  if (h.echo_nonce != peer.nonce || fresh || h.link_token != 0) say_hello(h.self.id, peer);
}

void Links::forget_strangers() {
  std::vector<NodeId> gone;
  for (const auto& [id, since] : strangers_)
    if (ctx_.now - since > kStrangerPatience) gone.push_back(id);
  for (auto id : gone) {
    close(id);
    events_.on_stranger_gone(id);
  }
}

void Links::establish(NodeId id, Peer& peer) {
  auto sid = session_id(peer.nonce, peer.their_nonce, ctx_.self().hash(), id.hash());
  peer.session = std::make_shared<LinkSession>(sid, limits());
  peer.refused = false;
  peer.without_session = kNever;
  strangers_.erase(id);
  sessions_[sid] = id;
  expect(id, peer);
  touched_.insert(id);
  events_.on_session_up(id);
}

NodeId Links::peer_for_session(std::uint64_t session) {
  if (auto it = sessions_.find(session); it != sessions_.end()) return it->second;
  const auto it = expected_.find(session);
  if (it == expected_.end()) return {};
  const auto id = it->second;
  establish(id, peers_.at(id));
  return id;
}

/// The peer may complete the handshake first: its frame then carries the id that our nonces give.
void Links::expect(NodeId id, Peer& peer) {
  const bool waits = !peer.session && peer.their_nonce != 0 && peer.wanted;
  const auto session =
      waits ? session_id(peer.nonce, peer.their_nonce, ctx_.self().hash(), id.hash()) : std::uint64_t{0};
  if (session == peer.expected) return;
  expected_.erase(std::exchange(peer.expected, session));
  if (session != 0) expected_[session] = id;
}

void Links::on_session_frame(std::optional<RouteId> route, std::string_view rest) {
  auto header = rest.size() <= kMaxSessionFrame ? take_session_header(rest) : std::nullopt;
  if (!header) return bad_frame("session frame that does not parse");
  if (auto it = clients_.find(header->session); it != clients_.end()) {
    return on_client_frame(it->second, it->first, *header, rest);
  }
  if (auto id = peer_for_session(header->session)) {
    on_heard_directly(id, *header);
    return on_peer_frame(id, *header, rest);
  }
  ++ctx_.stats.bad_frames;
  if (!route) return;
  Bytes reset;
  put_preamble(reset, FrameType::reset);
  put_u64(reset, header->session);
  ctx_.emit(effect::SendRoute{*route, std::move(reset)});
}

void Links::on_peer_frame(NodeId id, const SessionHeader& header, std::string_view rest) {
  const auto found = peers_.find(id);
  if (found == peers_.end() || !found->second.session) return;
  const auto session = found->second.session;  // what a part says may end it
  touched_.insert(id);
  if (session->on_frame(ctx_.now, header, rest, [this, id](const Part& part) { on_part(id, part); })) return;
  bad_frame("session frame with broken contents");
  end_session(id);
  open(id, peers_[id].endpoint);
}

void Links::on_part(NodeId id, const Part& part) {
  ++ctx_.stats.messages_in;
  if (part.kind == message_kind<CallRequest>()) {
    if (auto call = decode_body<CallRequest>(part.body)) {
      if (ctx_.tap != nullptr) ctx_.tap->note(tapped(Hop::received, id, *call));
      return events_.on_peer_call(id, std::move(*call));
    }
  } else if (part.kind == message_kind<CallReply>()) {
    if (auto reply = decode_body<CallReply>(part.body)) {
      if (ctx_.tap != nullptr) ctx_.tap->note(tapped(Hop::received, id, *reply));
      return events_.on_peer_reply(id, std::move(*reply));
    }
  } else if (auto message = decode_message(part.kind, part.body)) {
    if (ctx_.tap != nullptr) ctx_.tap->note(tapped(Hop::received, id, *message));
    return events_.on_peer_message(id, std::move(*message));
  }
  if (part.kind < kMessageKinds) return bad_frame("message that does not parse");
  ++ctx_.stats.bad_frames;  // a kind of a later version: tolerated
}

void Links::on(const event::RouteFrame& f) {
  std::string_view in = f.frame;
  auto type = take_preamble(in);
  if (!type) return bad_frame("not a frame of this protocol version");
  switch (*type) {
    case FrameType::hello:
      return on_hello(f.route, in);
    case FrameType::session:
      return on_session_frame(f.route, in);
    case FrameType::reset:
      if (auto session = take_u64(in)) clients_.erase(*session);  // its goodbye
      return;
    default:
      return bad_frame("frame type that has no place here");
  }
}

void Links::on(const event::LinkFrame& f) {
  std::string_view in = f.frame;
  auto type = take_preamble(in);
  if (!type) return bad_frame("not a frame of this protocol version");
  switch (*type) {
    case FrameType::refusal:
      return on_refusal(in);
    case FrameType::reset:
      return on_reset(f.link, in);
    default:
      return bad_frame("frame type that has no place here");
  }
}

void Links::on_refusal(std::string_view body) {
  auto refusal = parse<Refusal>(body);
  if (!refusal || refusal->hub_id != ctx_.config.hub_id || refusal->to != ctx_.self())
    return bad_frame("refusal for another");
  events_.on_refused(*refusal);
}

void Links::on_reset(LinkId link, std::string_view body) {
  auto session = take_u64(body);
  auto id = peer_at(link);
  if (!session || !id) return;
  auto& peer = peers_[id];
  if (!peer.session || peer.session->id() != *session) return;
  end_session(id);
  open(id, peer.endpoint);
}

void Links::on(const event::LinkUp& e) {
  for (auto& [endpoint, seed] : seeds_) {
    if (seed.link != e.link) continue;
    seed.tries = 0;
    seed.hello_due = ctx_.now;
  }
  auto id = peer_at(e.link);
  if (!id) return;
  auto& peer = peers_[id];
  peer.refused = false;
  touched_.insert(id);
  if (peer.session) peer.session->resend_at(ctx_.now);
  peer.hello_due = ctx_.now;
  peer.hello_wait = kHelloFirst;
}

void Links::on(const event::LinkDown& e) {
  auto id = peer_at(e.link);
  if (!id) return;
  peers_[id].refused = e.refused;
  events_.on_link_lost(id, e.refused);
}

void Links::on(const event::SendRefused& e) {
  if (e.status == SendStatus::full) ++ctx_.stats.send_refusals;
  auto id = peer_at(e.link);
  if (!id || !peers_[id].session) return;
  touched_.insert(id);
  peers_[id].session->refused(ctx_.now);
}

}  // namespace processhub::protocol
