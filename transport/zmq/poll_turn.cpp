// One turn of ZmqTransport::poll(): see what is ready, deliver frames fairly, follow what connections go
// through.
#include <fmt/format.h>
#include <zmq.h>

#include <algorithm>
#include <utility>

#include "transport/zmq/socket_io.hpp"
#include "transport/zmq/zmq_transport_impl.hpp"

namespace processhub::zmq_detail {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

// How often an address that refuses connections, and never did otherwise, is at most asked again and
// reported.
constexpr std::chrono::milliseconds kRefusalInterval{200};

// Opening a socket costs some 0.1 ms: a hundred links that broke at once must not hold up the frames of the
// others.
constexpr int kReopeningsPerTurn = 10;

}  // namespace

bool ZmqTransport::poll(microseconds timeout, TransportEvents& events, int budget) {
  if (closed_) return false;
  Turn turn{events, std::max(budget, 1)};
  const bool reported = !unusable_.empty();
  report_unusable_links(events);
  serve_readers(turn);
  const bool look_only = reported || turn.delivered || !readers_.empty();
  wait_for_events(look_only ? microseconds::zero() : sleep_limit(timeout), turn);
  serve_readers(turn);
  if (!timers_.empty()) fire_timers(turn);
  retired_.clear();
  return !readers_.empty();
}

PeerConnection* ZmqTransport::find(ConnectionId id) {
  const auto known = connections_.find(id);
  return known == connections_.end() ? nullptr : known->second.get();
}

microseconds ZmqTransport::sleep_limit(microseconds timeout) const {
  if (timers_.empty()) return timeout;
  const auto left = std::chrono::ceil<microseconds>(timers_.begin()->first - steady_clock::now());
  return std::clamp(left, microseconds::zero(), std::max(timeout, microseconds::zero()));
}

void ZmqTransport::report_unusable_links(TransportEvents& events) {
  for (const LinkId link : std::exchange(unusable_, {})) events.on_link_down(link, false);
}

void ZmqTransport::wait_for_events(microseconds timeout, Turn& turn) {
  // A look without sleep needs no waker.
  if (timeout > microseconds::zero() && !wake_up_.fall_asleep()) timeout = microseconds::zero();
  const auto ready = poll_.wait(timeout);
  wake_up_.woke_up();
  for (const epoll_event& event : ready) {
    on_ready(static_cast<Source>(event.data.u64 & 0xFFU), event.data.u64 >> 8U, turn);
  }
}

void ZmqTransport::on_ready(Source source, ConnectionId id, Turn& turn) {
  switch (source) {
    case Source::wake_up:
      return wake_up_.drain();
    case Source::router:
      return queue_router();
    case Source::router_monitor:
      return read_server_monitor(router_);
    // Nothing to read, but new subscriptions must take effect before the next publication.
    case Source::publisher:
      return process_mailbox(publisher_.socket);
    case Source::publisher_monitor:
      return read_server_monitor(publisher_);
    case Source::connection:
    case Source::connection_monitor:
    case Source::probe:
      break;
  }
  PeerConnection* connection = find(id);
  if (connection == nullptr) return;
  if (source == Source::probe) {
    if (connection->probe.running()) finish_probe(*connection, connection->probe.outcome(), turn);
    return;
  }
  (source == Source::connection ? connection->data_ready : connection->monitor_ready) = true;
  queue(*connection);
}

void ZmqTransport::read_server_monitor(Server& server) {
  while (const auto event = server.monitor.next()) {
    if (event->what == ZMQ_EVENT_ACCEPTED) server.accepted.insert(event->value);
    if (event->what == ZMQ_EVENT_DISCONNECTED) server.accepted.erase(event->value);
    if (!is_handshake_failure(event->what)) continue;
    ++counters_.failed_handshakes;
    server.history.note_failure(describe_handshake_failure(*event));
    note_problem(fmt::format("someone at {}: {}", event->endpoint, describe_handshake_failure(*event)));
  }
}

// A reader counts as queued until its input is found empty: a send from a callback is covered by the look
// that follows.
void ZmqTransport::serve_readers(Turn& turn) {
  while (turn.budget > 0 && !readers_.empty()) {
    const int share = std::max(1, turn.budget / static_cast<int>(readers_.size()));
    const Reader reader = readers_.front();
    readers_.pop_front();
    const bool more =
        reader == kRouterReader ? serve_router(turn, share) : serve_connection(reader, turn, share);
    if (more) {
      readers_.push_back(reader);
    } else if (reader == kRouterReader) {
      router_.queued = false;
    } else if (PeerConnection* connection = find(reader)) {
      connection->queued = false;
    }
  }
}

/// True if its share ended before its input.
bool ZmqTransport::serve_router(Turn& turn, int share) {
  for (; share > 0; --share) {
    if (!router_.socket || !receive_part(router_.socket, identity_)) return false;
    const bool has_body = identity_.more() && receive_part(router_.socket, body_);
    if (!has_body || body_.more()) {
      skip_parts(router_.socket, body_);
      ++counters_.bad_messages;
      continue;
    }
    --turn.budget;
    turn.delivered = true;
    turn.events.on_route_frame(routes_.number_of(view_of(identity_)), view_of(body_));
  }
  return true;
}

/// In the order things happened: up, frames, down. True if its share ended before its input.
bool ZmqTransport::serve_connection(ConnectionId id, Turn& turn, int share) {
  for (;;) {
    PeerConnection* connection = find(id);
    if (connection == nullptr || !connection->is_open()) return false;
    if (take_monitor_event(*connection) && connection->held->what == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
      act_on_held_event(*connection, turn);
      continue;
    }
    if (deliver_frames(*connection, turn, share)) return true;
    // A callback may have ended the connection; it stays in memory until the end of the poll.
    if (!connection->is_open() || !connection->held) return false;
    act_on_held_event(*connection, turn);
  }
}

/// Makes sure that `held` has the next event, if there is one. Frames that came before an event are in the
/// socket by then.
bool ZmqTransport::take_monitor_event(PeerConnection& connection) {
  if (connection.held) return true;
  if (!connection.monitor_ready) return false;
  connection.held = connection.monitor().next();
  if (!connection.held) connection.monitor_ready = false;
  connection.data_ready = true;
  return connection.held.has_value();
}

/// True if the share ended before the input.
bool ZmqTransport::deliver_frames(PeerConnection& connection, Turn& turn, int& share) {
  while (connection.data_ready && connection.is_open()) {
    if (share <= 0) return true;
    if (!receive_part(connection.socket(), body_)) {
      connection.data_ready = false;
      return false;
    }
    if (body_.more()) {
      skip_parts(connection.socket(), body_);
      ++counters_.bad_messages;
      continue;
    }
    --share;
    --turn.budget;
    turn.delivered = true;
    connection.learn_address(body_);
    if (connection.kind == PeerConnection::Kind::link) {
      turn.events.on_link_frame(connection.link, view_of(body_));
    } else {
      turn.events.on_publication(view_of(body_));
    }
  }
  return false;
}

void ZmqTransport::act_on_held_event(PeerConnection& connection, Turn& turn) {
  const MonitorEvent event = *std::exchange(connection.held, std::nullopt);
  if (event.what == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) return on_up(connection, turn);
  if (event.what == ZMQ_EVENT_CONNECT_RETRIED) return on_retry(connection, turn);
  if (!connection.up) {  // also when the other side is a socket of the wrong kind: a plain DISCONNECTED
    ++counters_.failed_handshakes;
    connection.history.note_failure(describe_handshake_failure(event));
    note_problem(fmt::format("{}: {}", connection.address.str(), describe_handshake_failure(event)));
  }
  on_broken(connection, turn);
}

void ZmqTransport::on_up(PeerConnection& connection, Turn& turn) {
  process_mailbox(connection.socket());  // the new pipe: send() works from here on
  connection.data_ready = true;
  connection.up = connection.ever_up = true;
  connection.up_since = steady_clock::now();
  ++connection.history.connected;
  connection.refusal_reported = false;
  connection.probe.cancel();
  if (connection.kind != PeerConnection::Kind::link) return;
  if (connection.down_unreported) report_down(connection, false, turn);
  if (connection.is_open()) turn.events.on_link_up(connection.link);
}

void ZmqTransport::on_broken(PeerConnection& connection, Turn& turn) {
  const bool was_up = connection.up;
  detach(connection, PeerConnection::Unsent::drop);
  if (was_up) {
    ++counters_.connections_lost;
    ++connection.history.lost;
    connection.backoff.was_up_for(steady_clock::now() - connection.up_since);
  }
  reopen_later(connection);
  if (!was_up || connection.kind != PeerConnection::Kind::link) return;
  connection.down_unreported = true;
  start_probe(connection, turn);
}

/// A first connect failed and libzmq tries again: find out whether the peer refuses.
void ZmqTransport::on_retry(PeerConnection& connection, Turn& turn) {
  ++connection.history.retried;
  if (connection.kind != PeerConnection::Kind::link || connection.probe.running()) return;
  if (connection.ever_up && connection.refusal_reported) return;
  // Until it was refused, libzmq's own back-off paces the probes: the listener of a killed process may close
  // a moment after its connections, and the first refusal is news that must not wait.
  if (connection.refused_at && steady_clock::now() - *connection.refused_at < kRefusalInterval) return;
  start_probe(connection, turn);
}

void ZmqTransport::start_probe(PeerConnection& connection, Turn& turn) {
  const auto now = steady_clock::now();
  connection.probe_until = now + ReachabilityProbe::kPatience;
  std::optional<ProbeOutcome> outcome = ProbeOutcome::inconclusive;
  if (connection.ipv4()) outcome = connection.probe.start(*connection.ipv4(), connection.address.port);
  if (outcome) return finish_probe(connection, *outcome, turn);
  if (!watch(connection.probe.fd(), Source::probe, connection.id)) {
    return finish_probe(connection, ProbeOutcome::inconclusive, turn);
  }
  timers_.emplace(connection.probe_until, Timer{connection.id, TimerKind::probe});
}

void ZmqTransport::finish_probe(PeerConnection& connection, ProbeOutcome outcome, Turn& turn) {
  connection.probe.cancel();  // closing its descriptor takes it out of the poll set
  const bool refused = outcome == ProbeOutcome::refused;
  const bool news = refused && !connection.up && !(connection.ever_up && connection.refusal_reported);
  if (connection.down_unreported || news) report_down(connection, refused, turn);
}

void ZmqTransport::report_down(PeerConnection& connection, bool refused, Turn& turn) {
  connection.down_unreported = false;
  connection.refusal_reported = refused;
  if (refused) connection.refused_at = steady_clock::now();
  turn.events.on_link_down(connection.link, refused);
}

void ZmqTransport::fire_timers(Turn& turn) {
  const auto now = steady_clock::now();
  int reopened = 0;
  while (!timers_.empty() && timers_.begin()->first <= now && reopened < kReopeningsPerTurn) {
    const auto [due, timer] = *timers_.begin();
    timers_.erase(timers_.begin());
    PeerConnection* connection = find(timer.connection);
    if (connection == nullptr) continue;
    if (timer.kind == TimerKind::probe) {
      if (connection->probe.running() && connection->probe_until == due) {
        finish_probe(*connection, ProbeOutcome::inconclusive, turn);
      }
    } else if (connection->reconnect_at == due) {
      open(*connection);
      ++reopened;
    }
  }
}

}  // namespace processhub::zmq_detail
