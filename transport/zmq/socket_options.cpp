#include "transport/zmq/socket_options.hpp"

#include <algorithm>

#include "transport/zmq/client_socket.hpp"

namespace processhub::zmq_detail {
namespace {

// Long enough for a farewell to leave a healthy socket, short enough not to hold up the end of the program.
constexpr int kLingerMs = 500;

// The default of 100 makes 500 peers that connect at once take a second; the kernel caps it at
// net.core.somaxconn.
constexpr int kBacklog = 4'096;

// First connects only (see zmq_transport.hpp): libzmq adds up to the first value at random and doubles up to
// the second.
constexpr int kReconnectMs = 5;
constexpr int kReconnectMaxMs = 500;
// A SYN that nobody answers is tried anew; the default waits for the kernel, which takes two minutes.
constexpr int kConnectTimeoutMs = 2'000;
// Whoever connects and does not speak ZMTP is shown the door; the default is 30 s.
constexpr int kHandshakeMs = 5'000;

// ZMTP heartbeats are answered by the peer's I/O thread even if its application hangs. They only end TCP
// connections whose other side is gone without a word; the members themselves are watched by the core,
// faster.
constexpr int kHeartbeatMs = 2'000;
constexpr int kHeartbeatTimeoutMs = 10'000;

// High-water marks count frames; a frame holds up to 64 KiB, mostly far less. What waits in a DEALER is a
// part of what its session keeps until acknowledged, so the session's ring bounds the bytes: this mark must
// only not be the tighter one when frames are small. Answers at a ROUTER and everything received have no such
// bound, so libzmq's 1,000 stays for them.
constexpr int kDealerSendMark = 16'384;
constexpr int kRouterSendMark = 4'096;
constexpr int kReceiveMark = 1'000;

// A PUB drops silently above its mark, and each drop costs a repair over the session. A burst is, say,
// 100,000 children that crash or move and are published one by one while a subscriber's machine is busy for a
// second: tens of thousands of small frames. A frame's bytes are shared by all subscribers, so the memory
// behind the mark does not grow with their number.
constexpr int kPublisherSendMark = 65'536;
constexpr int kSubscriberReceiveMark = 16'384;

// What strangers send is bounded before it is read: sessions cut long messages into frames of 64 KiB, a hello
// is not much longer, and nodes subscribe to everything with an empty prefix.
constexpr std::int64_t kLongestToRouter = 2 * 1024 * 1024;
constexpr std::int64_t kLongestSubscription = 1024;

void set_common(zmq::socket_t& socket, const SocketSetup& setup) {
  socket.set(zmq::sockopt::linger, kLingerMs);
  socket.set(zmq::sockopt::ipv6, false);
  socket.set(zmq::sockopt::maxmsgsize, setup.max_frame);
  socket.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
  socket.set(zmq::sockopt::heartbeat_ivl, kHeartbeatMs);
  socket.set(zmq::sockopt::heartbeat_timeout, kHeartbeatTimeoutMs);
}

zmq::socket_t open_server(zmq::context_t& context, const SocketSetup& setup, zmq::socket_type type) {
  zmq::socket_t socket(context, type);
  set_common(socket, setup);
  socket.set(zmq::sockopt::backlog, kBacklog);
  if (setup.server_keys) {
    socket.set(zmq::sockopt::curve_server, true);
    socket.set(zmq::sockopt::curve_publickey, setup.server_keys->public_key);
    socket.set(zmq::sockopt::curve_secretkey, setup.server_keys->secret_key);
    socket.set(zmq::sockopt::zap_domain, "processhub");
  }
  return socket;
}

zmq::socket_t open_client(zmq::context_t& context, const SocketSetup& setup, zmq::socket_type type) {
  zmq::socket_t socket(context, type);
  set_common(socket, setup);
  socket.set(zmq::sockopt::reconnect_ivl, kReconnectMs);
  socket.set(zmq::sockopt::reconnect_ivl_max, kReconnectMaxMs);
  socket.set(zmq::sockopt::connect_timeout, kConnectTimeoutMs);
  if (setup.own_keys && setup.server_keys) {
    socket.set(zmq::sockopt::curve_publickey, setup.own_keys->public_key);
    socket.set(zmq::sockopt::curve_secretkey, setup.own_keys->secret_key);
    socket.set(zmq::sockopt::curve_serverkey, setup.server_keys->public_key);
  }
  return socket;
}

}  // namespace

SocketSetup client_setup(const ClientOptions& options) {
  SocketSetup setup;
  setup.max_frame = static_cast<std::int64_t>(options.max_frame_size) + kFrameOverhead;
  setup.own_keys = options.keys;
  if (options.keys) setup.server_keys = KeyPair{options.server_public_key, {}};
  return setup;
}

zmq::socket_t open_router(zmq::context_t& context, const SocketSetup& setup) {
  auto socket = open_server(context, setup, zmq::socket_type::router);
  socket.set(zmq::sockopt::maxmsgsize, std::min(setup.max_frame, kLongestToRouter));
  socket.set(zmq::sockopt::router_mandatory, true);
  socket.set(zmq::sockopt::router_handover, true);
  socket.set(zmq::sockopt::sndhwm, kRouterSendMark);
  socket.set(zmq::sockopt::rcvhwm, kReceiveMark);
  return socket;
}

zmq::socket_t open_publisher(zmq::context_t& context, const SocketSetup& setup) {
  auto socket = open_server(context, setup, zmq::socket_type::pub);
  socket.set(zmq::sockopt::maxmsgsize, kLongestSubscription);
  socket.set(zmq::sockopt::sndhwm, kPublisherSendMark);
  return socket;
}

// ZMQ_IMMEDIATE stays off: with it, libzmq throws away what arrived and was not read when a connection
// breaks. That nothing is queued for a peer that is not connected is the transport's doing.
zmq::socket_t open_dealer(zmq::context_t& context, const SocketSetup& setup) {
  auto socket = open_client(context, setup, zmq::socket_type::dealer);
  socket.set(zmq::sockopt::sndhwm, kDealerSendMark);
  socket.set(zmq::sockopt::rcvhwm, kReceiveMark);
  return socket;
}

zmq::socket_t open_subscriber(zmq::context_t& context, const SocketSetup& setup) {
  auto socket = open_client(context, setup, zmq::socket_type::sub);
  socket.set(zmq::sockopt::rcvhwm, kSubscriberReceiveMark);
  socket.set(zmq::sockopt::linger, 0);  // the subscription itself is what would wait for a lost publisher
  socket.set(zmq::sockopt::subscribe, "");
  return socket;
}

}  // namespace processhub::zmq_detail
