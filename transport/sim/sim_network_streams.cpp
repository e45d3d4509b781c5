// What travels on a connection, and how a connection ends.
#include <algorithm>

#include "transport/sim/sim_network.hpp"

namespace processhub::sim {

Duration SimNetwork::frame_delay(HostId from, HostId to) {
  auto delay = rng_.between(faults_.delay_min, faults_.delay_max);
  if (rng_.chance(faults_.delay_tail)) delay = rng_.between(faults_.delay_max, faults_.delay_tail_max);
  if (auto found = clogs_.find({from, to}); found != clogs_.end()) delay += found->second;
  return delay;
}

std::size_t SimNetwork::waiting(Stream& stream) const {
  while (!stream.departures.empty() && stream.departures.front() <= scheduler_.now())
    stream.departures.pop_front();
  return stream.departures.size() + stream.held.size();
}

Time SimNetwork::departure(Stream& stream, std::size_t size) {
  const auto now = scheduler_.now();
  if (faults_.bandwidth == 0) return now;
  const auto begin = stream.departures.empty() ? now : std::max(now, stream.departures.back());
  stream.departures.push_back(begin +
                              Duration(static_cast<std::int64_t>(size * 1'000'000 / faults_.bandwidth)));
  return stream.departures.back();
}

/// `may_be_faulty`: frames of links; publications have their own loss, and the end of a stream always arrives
/// last.
void SimNetwork::push(std::uint64_t id, bool there, Frame frame, bool may_be_faulty) {
  auto found = connections_.find(id);
  if (found == connections_.end()) return;
  auto& c = found->second;
  auto& stream = there ? c.there : c.back;
  const auto from = there ? c.dialer : c.listener;
  const auto to = there ? c.listener : c.dialer;
  if (may_be_faulty) {
    if (rng_.chance(faults_.reset)) return reset(id);
    if (rng_.chance(faults_.loss)) {
      ++counters_.lost;
      return;
    }
    if (rng_.chance(faults_.duplicate)) {
      ++counters_.duplicated;
      schedule_arrival(id, there, frame, scheduler_.now() + 2 * frame_delay(from, to));
    }
    if (rng_.chance(faults_.reorder)) {
      ++counters_.reordered;
      const auto late = frame_delay(from, to) + rng_.between(faults_.delay_max, 10 * faults_.delay_max);
      return schedule_arrival(id, there, std::move(frame), scheduler_.now() + late);
    }
  }
  const auto left = departure(stream, frame.size());
  stream.last_arrival = std::max(stream.last_arrival, left + frame_delay(from, to));
  schedule_arrival(id, there, std::move(frame), stream.last_arrival);
}

void SimNetwork::schedule_arrival(std::uint64_t id, bool there, Frame frame, Time when) {
  scheduler_.at(
      when, [this, id, there, frame = std::move(frame)]() mutable { arrive(id, there, std::move(frame)); });
}

void SimNetwork::arrive(std::uint64_t id, bool there, Frame frame) {
  auto found = connections_.find(id);
  if (found == connections_.end()) {
    if (!frame.end) ++counters_.lost;
    return;
  }
  auto& c = found->second;
  auto& stream = there ? c.there : c.back;
  const auto from = there ? c.dialer : c.listener;
  const auto to = there ? c.listener : c.dialer;
  if (is_cut(from, to) || !stream.held.empty()) {
    stream.held.push_back(std::move(frame));
    return;
  }
  if (frame.end) return peer_closed(id, there);
  const auto life = there ? c.listener_life : c.dialer_life;
  const auto& host = hosts_[to];
  if (host.attached && host.life == life) return deliver(c, there, std::move(frame));
  ++counters_.lost;
  // The process behind this connection is gone; whoever has the address now does not know the connection.
  if (!host.silent) reset(id);
}

void SimNetwork::deliver(const Connection& c, bool there, Frame frame) {
  ++counters_.delivered;
  if (there) {
    hosts_[c.listener].deliver(protocol::event::RouteFrame{c.route, std::move(frame.bytes)});
  } else if (c.subscription) {
    hosts_[c.dialer].deliver(protocol::event::Publication{std::move(frame.publication)});
  } else if (dials_.contains(c.dial)) {
    hosts_[c.dialer].deliver(protocol::event::LinkFrame{c.link, std::move(frame.bytes)});
  }
}

/// Retransmission brings what was held, in order, soon after the way is free again.
void SimNetwork::release_held(HostId from, HostId to) {
  for (const auto id : connections_between(from, to)) {
    auto& c = connections_.at(id);
    auto& stream = c.dialer == from ? c.there : c.back;
    const bool there = c.dialer == from;
    auto held = std::exchange(stream.held, {});
    const auto retransmitted = scheduler_.now() + rng_.between(Duration(0), Duration(200'000));
    stream.last_arrival =
        std::max({stream.last_arrival, retransmitted, scheduler_.now() + frame_delay(from, to)});
    for (auto& frame : held) schedule_arrival(id, there, std::move(frame), stream.last_arrival);
  }
}

/// Both ends lose the connection and everything in flight; the dialer tries again.
void SimNetwork::reset(std::uint64_t id) {
  auto found = connections_.find(id);
  if (found == connections_.end()) return;
  ++counters_.resets;
  const Connection c = std::move(found->second);
  counters_.lost += c.there.held.size() + c.back.held.size();
  forget(id);
  tell_down(c);
}

/// The end of a stream arrived: `there` says which way it travelled.
void SimNetwork::peer_closed(std::uint64_t id, bool there) {
  const Connection c = std::move(connections_.at(id));
  forget(id);
  if (!there) tell_down(c);
}

void SimNetwork::tell_down(const Connection& c) {
  auto found = dials_.find(c.dial);
  if (found == dials_.end()) return;
  auto& dial = found->second;
  dial.connection = 0;
  const auto& target = hosts_[c.listener];
  const bool refused = !target.attached && !target.silent && reachable(c.dialer, c.listener);
  dial.told_refused = refused;
  if (!c.subscription) hosts_[c.dialer].deliver(protocol::event::LinkDown{c.link, refused});
  schedule_attempt(c.dial, backoff(dial));
}

void SimNetwork::forget(std::uint64_t id) {
  auto found = connections_.find(id);
  const auto listener = found->second.listener;
  hosts_[listener].subscribers.erase(id);
  auto& routes = hosts_[listener].routes;
  if (auto route = routes.find(found->second.route); route != routes.end() && route->second == id)
    routes.erase(route);
  const auto& ended = found->second;
  if (const auto pair = between_.find(pair_of(ended.dialer, ended.listener)); pair != between_.end()) {
    std::erase(pair->second, found->first);
    if (pair->second.empty()) between_.erase(pair);
  }
  connections_.erase(found);
}

}  // namespace processhub::sim
