#include "transport/zmq/socket_monitor.hpp"

#include <zmq.h>

#include <cstring>

#include "transport/zmq/socket_io.hpp"

namespace processhub::zmq_detail {

const char* describe_handshake_failure(const MonitorEvent& event) {
  if ((event.what & ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) != 0) return kKeyRefused;
  if ((event.what & ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL) != 0) {
    if (event.value == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC) return "encrypted for another key";
    if (event.value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
      return "one side has keys, the other has none";
    return "protocol error";
  }
  return "disconnected during the handshake";
}

void SocketMonitor::attach(zmq::context_t& context, zmq::socket_t& socket, const std::string& name,
                           int events) {
  const std::string address = "inproc://monitor-" + name;
  if (zmq_socket_monitor(socket.handle(), address.c_str(), events) != 0) throw zmq::error_t();
  try {
    pair_ = zmq::socket_t(context, zmq::socket_type::pair);
    pair_.set(zmq::sockopt::linger, 0);
    // No high-water mark: libzmq's I/O thread would block on a full pair, and with it every connection.
    pair_.set(zmq::sockopt::rcvhwm, 0);
    pair_.connect(address);
  } catch (const zmq::error_t&) {
    detach(socket);
    throw;
  }
}

void SocketMonitor::detach(zmq::socket_t& socket) {
  if (socket) zmq_socket_monitor(socket.handle(), nullptr, 0);
  pair_.close();
}

std::optional<MonitorEvent> SocketMonitor::next() {
  zmq::message_t part;
  if (!pair_ || !receive_part(pair_, part)) return std::nullopt;
  MonitorEvent event;
  if (part.size() >= sizeof event.what + sizeof event.value) {
    std::memcpy(&event.what, part.data(), sizeof event.what);
    std::memcpy(&event.value, static_cast<const char*>(part.data()) + sizeof event.what, sizeof event.value);
  }
  if (part.more() && receive_part(pair_, part))
    event.endpoint.assign(static_cast<const char*>(part.data()), part.size());
  return event;
}

}  // namespace processhub::zmq_detail
