// How every socket is set up. Each number has its reason beside it in the .cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <zmq.hpp>

#include "transport/zmq/curve_keys.hpp"

namespace processhub {
struct ClientOptions;
}

namespace processhub::zmq_detail {

/// What all sockets of one transport have in common.
struct SocketSetup {
  std::int64_t max_frame = 0;            ///< bytes; a peer that sends more is disconnected
  std::optional<KeyPair> own_keys{};     ///< proved when connecting
  std::optional<KeyPair> server_keys{};  ///< presented when bound; connecting sockets use the public half
};

/// Of a program that is no node.
SocketSetup client_setup(const ClientOptions& options);

/// Room for envelope and headers around a message of the largest size.
inline constexpr std::int64_t kFrameOverhead = 64 * 1024;

// All throw zmq::error_t (no sockets or descriptors left). Nothing is bound or connected yet.
zmq::socket_t open_router(zmq::context_t& context, const SocketSetup& setup);
zmq::socket_t open_publisher(zmq::context_t& context, const SocketSetup& setup);
zmq::socket_t open_dealer(zmq::context_t& context, const SocketSetup& setup);
zmq::socket_t open_subscriber(zmq::context_t& context, const SocketSetup& setup);

}  // namespace processhub::zmq_detail
