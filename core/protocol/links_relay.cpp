// The part of Links that reaches a peer through a third node: frames of the session (and hellos) travel
// inside Relay messages, one hop. The session above does not notice: it orders, repeats and acknowledges as
// ever.
#include "core/protocol/links.hpp"

namespace processhub::protocol {

namespace {
constexpr Duration kTouchPause = std::chrono::milliseconds(100);
constexpr Duration kRelayKept = std::chrono::seconds(3);  // after the last sign that it is needed
}  // namespace

void Links::relay_through(NodeId peer, NodeId via) {
  if (peer != via && has_session(via) && !relayed(via)) relays_.use(peer, via, ctx_.now + kRelayKept);
}

void Links::send_frame(NodeId id, const Peer& peer, Bytes frame) {
  if (const auto via = relays_.via(id, ctx_.now)) {
    if (send(via, Lane::control, Relay{ctx_.self(), id, frame})) return;
  }
  ctx_.emit(effect::SendLink{peer.link, std::move(frame)});
}

void Links::flush_peer(NodeId id, Peer& peer) {
  if (!peer.session) return;
  peer.session->flush(ctx_.now, [&](Bytes frame) {
    ++ctx_.stats.messages_out;
    send_frame(id, peer, std::move(frame));
  });
}

bool Links::stuck(NodeId peer, Duration limit) const {
  auto it = peers_.find(peer);
  if (it == peers_.end()) return false;
  const auto& session = it->second.session;
  const auto since = session ? session->waiting_since() : it->second.without_session;
  return since != kNever && ctx_.now - since > limit;
}

void Links::touch_directly(NodeId peer) {
  auto it = peers_.find(peer);
  if (it == peers_.end() || !it->second.session || !relayed(peer) || ctx_.now < it->second.touch_due) return;
  it->second.touch_due = ctx_.now + kTouchPause;
  ctx_.emit(effect::SendLink{it->second.link, it->second.session->bare_ack()});
}

/// A peer that sends its messages directly hears us. One that only shows itself may not, and is answered
/// alike.
void Links::on_heard_directly(NodeId id, const SessionHeader& header) {
  if (header.seq != 0) relays_.drop(id);
  touch_directly(id);
  events_.on_heard(id);
}

void Links::on(NodeId sender, const Relay& relay) {
  if (relay.to == ctx_.self()) {
    // It had to come this way, so the answer goes back this way.
    relay_through(relay.from, sender);
    return on_relayed(relay.from, relay.frame);
  }
  if (relay.from != sender || relayed(relay.to) || !send(relay.to, Lane::control, relay))
    ++ctx_.stats.send_refusals;  // the session it belongs to sends it again, perhaps another way
}

void Links::on_relayed(NodeId from, std::string_view frame) {
  auto in = frame;
  const auto type = take_preamble(in);
  if (type == FrameType::hello) {
    auto hello = parse_hello(in);
    if (!hello || hello->self.id != from || hello->role != PeerRole::node)
      return bad_frame("relayed hello of another");
    if (acceptable(*hello, std::nullopt)) on_node_hello(std::nullopt, *hello);
    return;
  }
  const auto header = type == FrameType::session ? take_session_header(in) : std::nullopt;
  if (!header || peer_for_session(header->session) != from) return bad_frame("relayed frame of another");
  events_.on_heard_through(from);
  on_peer_frame(from, *header, in);
}

}  // namespace processhub::protocol
