// What a socket's connections go through, as libzmq's monitor tells: a PAIR of which we hold one end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <zmq.hpp>

namespace processhub::zmq_detail {

struct MonitorEvent {
  std::uint16_t what = 0;  ///< ZMQ_EVENT_…
  std::int32_t value = 0;  ///< of ACCEPTED and DISCONNECTED the descriptor, of a failed handshake the reason
  std::string endpoint{};
};

inline constexpr int kHandshakeFailures = ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                                          ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                                          ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
/// For a PUB: who reads from it.
inline constexpr int kSubscriberEvents = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED;
/// For a connecting socket. CONNECTED is not in it: a connection counts once its handshake succeeded.
inline constexpr int kConnectionEvents =
    ZMQ_EVENT_HANDSHAKE_SUCCEEDED | kHandshakeFailures | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED;

inline constexpr char kKeyRefused[] = "key refused";
inline bool is_handshake_failure(std::uint16_t what) { return (what & kHandshakeFailures) != 0; }
/// "key refused", "encrypted for another key" …
const char* describe_handshake_failure(const MonitorEvent& event);

/// Used by the thread that uses the socket. Detach before the socket is closed: libzmq would wait for a
/// reader.
class SocketMonitor {
 public:
  /// Before the socket connects or binds. `name` is unique in the context. Throws zmq::error_t.
  void attach(zmq::context_t& context, zmq::socket_t& socket, const std::string& name, int events);
  void detach(zmq::socket_t& socket);

  std::optional<MonitorEvent> next();
  int fd() const { return pair_.get(zmq::sockopt::fd); }
  zmq::socket_t& pair() { return pair_; }

 private:
  zmq::socket_t pair_{};
};

}  // namespace processhub::zmq_detail
