// What Links does in every turn: say what is to be said, and know when it must be woken next. A turn costs
// what the peers need that something happened to, whatever the size of the cluster.
#include <algorithm>

#include "core/protocol/links.hpp"

namespace processhub::protocol {

namespace {
constexpr Duration kClientIdle = std::chrono::minutes(2);
}  // namespace

void Links::tick() {
  forget_strangers();
  touch_due();
  for (auto id : touched_) {
    auto it = peers_.find(id);
    if (it == peers_.end()) continue;
    auto& peer = it->second;
    if (peer.wanted && !peer.session && peer.link != 0 && ctx_.now >= peer.hello_due) say_hello(id, peer);
  }
  std::erase_if(seeds_, [&](const auto& seed) {
    bool met = std::any_of(peers_.begin(), peers_.end(), [&](const auto& p) {
      return p.second.session && p.second.endpoint == seed.first;
    });
    if (met && seed.second.link != 0) ctx_.emit(effect::Disconnect{seed.second.link});
    return met;
  });
  for (auto& [endpoint, seed] : seeds_) {
    if (seed.link != 0 && ctx_.now >= seed.hello_due) say_hello_to_seed(seed);
  }
  std::erase_if(clients_, [&](const auto& c) { return ctx_.now - c.second.last_heard > kClientIdle; });
}

void Links::touch_due() {
  for (auto it = due_.begin(); it != due_.end() && it->first <= ctx_.now; ++it) touched_.insert(it->second);
}

void Links::flush() {
  touch_due();
  // What is relayed becomes a message of another session: first, so that it leaves in this turn.
  for (const bool through_others : {true, false}) {
    for (auto id : touched_) {
      auto it = peers_.find(id);
      if (it != peers_.end() && relayed(id) == through_others) flush_peer(id, it->second);
    }
  }
  for (auto id : touched_) reschedule(id);
  touched_.clear();
  for (auto& client : clients_) {
    client.second.session.flush(ctx_.now, [&](Bytes frame) {
      ctx_.emit(effect::SendRoute{client.second.route, std::move(frame)});
    });
  }
}

Time Links::deadline_of(const Peer& peer) const {
  if (peer.session) return peer.session->next_deadline();
  return peer.wanted && peer.link != 0 ? peer.hello_due : kNever;
}

void Links::reschedule(NodeId id) {
  auto it = peers_.find(id);
  if (it == peers_.end()) return;
  auto& peer = it->second;
  const auto due = deadline_of(peer);
  if (due == peer.due) return;
  due_.erase({peer.due, id});
  if (due != kNever) due_.insert({due, id});
  peer.due = due;
}

Time Links::next_deadline() const {
  Time due = due_.empty() ? kNever : due_.begin()->first;
  for (const auto& [endpoint, seed] : seeds_)
    if (seed.link != 0) due = std::min(due, seed.hello_due);
  for (const auto& [key, client] : clients_) due = std::min(due, client.session.next_deadline());
  return due;
}

bool Links::data_idle() const {
  return std::all_of(peers_.begin(), peers_.end(), [](const auto& p) {
    return !p.second.session || p.second.session->queued_bytes(Lane::data) == 0;
  });
}

bool Links::all_idle() const {
  return std::all_of(peers_.begin(), peers_.end(),
                     [](const auto& p) { return !p.second.session || p.second.session->idle(); });
}

void Links::list(std::vector<LinkInfo>& out) const {
  for (const auto& [id, peer] : peers_) {
    LinkInfo info;
    info.peer = id;
    info.endpoint = peer.endpoint;
    info.link = peer.link;
    info.session = peer.session != nullptr;
    info.refused = peer.refused;
    info.relayed = relayed(id);
    if (peer.without_session != kNever) info.without_session = ctx_.now - peer.without_session;
    if (peer.session) {
      info.queued_control = peer.session->queued_bytes(Lane::control);
      info.queued_data = peer.session->queued_bytes(Lane::data);
      info.resends = peer.session->resends();
      info.sent_control = peer.session->sent(Lane::control);
      info.sent_data = peer.session->sent(Lane::data);
      info.received_control = peer.session->received(Lane::control);
      info.received_data = peer.session->received(Lane::data);
    }
    out.push_back(std::move(info));
  }
}

}  // namespace processhub::protocol
