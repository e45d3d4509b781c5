// One outgoing connection: a DEALER to a peer's ROUTER or a SUB to its PUB, the monitor of that socket, and
// what is known about the other side. The loop (zmq_transport_impl.hpp) decides what to do with it; this only
// holds it together.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <zmq.hpp>

#include "processhub/transport.hpp"
#include "transport/zmq/reachability_probe.hpp"
#include "transport/zmq/socket_monitor.hpp"
#include "transport/zmq/socket_options.hpp"
#include "transport/zmq/tcp_address.hpp"

namespace processhub::zmq_detail {

using SteadyTime = std::chrono::steady_clock::time_point;

/// Numbers connections of one transport; never used again, so that a late event finds nothing rather than the
/// wrong one.
using ConnectionId = std::uint64_t;

/// Waits between attempts to connect anew: 5 ms, doubling to 1 s, from the start again after a second of
/// being up.
class Backoff {
 public:
  std::chrono::milliseconds next();
  void was_up_for(SteadyTime::duration time);

 private:
  std::chrono::milliseconds wait_{0};
};

/// What happened, for tools.
struct ConnectionHistory {
  std::uint64_t connected = 0;
  std::uint64_t retried = 0;
  std::uint64_t lost = 0;
  std::uint64_t failed = 0;
  std::string problem{};
  SteadyTime problem_at{};

  void note_failure(std::string what);
  void copy_to(ConnectionInfo& out) const;
};

class PeerConnection {
 public:
  enum class Kind : std::uint8_t { link, subscription };

  PeerConnection(ConnectionId id, Kind kind, LinkId link, TcpAddress address);

  /// False if there is no socket or descriptor left (zmq_errno says which).
  bool open(zmq::context_t& context, const SocketSetup& setup);
  enum class Unsent : std::uint8_t { deliver, drop };
  void close(Unsent unsent);
  bool is_open() const { return static_cast<bool>(socket_); }

  zmq::socket_t& socket() { return socket_; }
  SocketMonitor& monitor() { return monitor_; }
  /// Of the peer's machine; nothing while only its name is known.
  std::optional<std::uint32_t> ipv4() const { return ipv4_; }
  /// A frame tells the address behind a name.
  void learn_address(zmq::message_t& frame);

  const ConnectionId id;
  const Kind kind;
  const LinkId link;  ///< 0 for subscriptions
  const TcpAddress address;

  // What the poll turn has yet to look at.
  bool queued = false;
  bool data_ready = false;
  bool monitor_ready = false;
  std::optional<MonitorEvent> held{};  ///< not acted upon before the frames that came earlier are delivered

  // What the connection goes through.
  bool up = false;
  bool ever_up = false;
  bool down_unreported = false;   ///< went down; the probe has the word whether it was refused
  bool refusal_reported = false;  ///< since it was up last
  SteadyTime up_since{};
  std::optional<SteadyTime> reconnect_at{};
  std::optional<SteadyTime> refused_at{};  ///< when that was last reported
  SteadyTime probe_until{};
  Backoff backoff{};
  ConnectionHistory history{};
  ReachabilityProbe probe{};

 private:
  std::optional<std::uint32_t> ipv4_;
  zmq::socket_t socket_{};
  SocketMonitor monitor_{};
  std::uint64_t opened_ = 0;
};

}  // namespace processhub::zmq_detail
