// The ZeroMQ transport: one bound ROUTER, one bound PUB, and for every peer one DEALER and one SUB of its
// own. Only stable libzmq options are used. All calls but wake() come from the loop thread.
//
// Choices that a reader will ask about:
//  * A connection that was up and broke is not left to libzmq: its socket is closed and a fresh one connects
//  after 5 ms
//    (doubling up to a second while it keeps breaking). libzmq gives an endpoint up for good after a protocol
//    error or a refused key, and hammers one that accepts and drops; it only keeps its own retries for a
//    first connect. For the same reason a publisher gets a SUB of its own: renewing it must not lose what
//    others published.
//  * Nothing is queued for a peer that is not connected: send() answers unroutable until on_link_up, and the
//  fresh socket
//    after a break starts empty. The session above resends in order; old frames must not come out in front of
//    that. This is done here and not by ZMQ_IMMEDIATE, which also throws away what a peer said last and we
//    have not read yet.
//  * ROUTER identities are left to ZeroMQ: they are unique per connection, so two peers cannot collide.
//  * on_link_down(refused): libzmq reports no connect errno, so one non-blocking connect() of our own finds
//  out. A link that
//    went down is reported once, and once more as refused if that only shows later; a link that was never up
//    is reported refused at most every 200 ms.
//  * With CURVE (see curve_keys.hpp) both ROUTER and PUB are servers and all keys pass the allow-list.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "processhub/config.hpp"
#include "processhub/export.hpp"
#include "processhub/result.hpp"
#include "processhub/transport.hpp"

namespace processhub {

/// Uses of `config`: security, max_message_size. Errors: unreadable, malformed or unprotected key files
/// (ErrorCode::system, invalid), no sockets left (system). Nothing is bound yet.
PROCESSHUB_API Result<std::unique_ptr<Transport>> make_zmq_transport(const HubConfig& config);

/// What this machine's limits allow, in one line for the log: "room for about 1,900 peers (20,000 open files
/// …)".
PROCESSHUB_API std::string capacity_note();

/// What went wrong below the frames, since the start.
struct ZmqCounters {
  std::uint64_t failed_handshakes = 0;  ///< garbage, another protocol or a refused key, on either side
  std::uint64_t denied_keys = 0;        ///< refused by the allow-list
  std::uint64_t bad_messages = 0;       ///< not exactly one frame
  std::uint64_t oversize_frames = 0;    ///< of our own: not sent
  std::uint64_t connections_lost = 0;   ///< of our own, after they were up
  std::string last_problem{};           ///< one line about the newest of them
};

/// Loop thread. Nothing if `transport` is of another kind.
PROCESSHUB_API std::optional<ZmqCounters> zmq_counters(const Transport& transport);

}  // namespace processhub
