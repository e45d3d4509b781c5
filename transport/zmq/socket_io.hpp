// Sending and receiving on ZeroMQ sockets without waiting and without exceptions.
#pragma once

#include <zmq.h>

#include <string_view>
#include <zmq.hpp>

#include "processhub/transport.hpp"

namespace processhub::zmq_detail {

inline std::string_view view_of(const zmq::message_t& message) {
  return {static_cast<const char*>(message.data()), message.size()};
}

/// False if nothing waits; the socket's mailbox is empty then (EventPoll relies on it).
inline bool receive_part(zmq::socket_t& socket, zmq::message_t& part) {
  return zmq_msg_recv(part.handle(), socket.handle(), ZMQ_DONTWAIT) >= 0;
}

/// Takes the rest of a message that has more parts than it should.
void skip_parts(zmq::socket_t& socket, zmq::message_t& part);

/// Lets the socket act on what its I/O thread told it: new connections, subscriptions, room in a pipe.
void process_mailbox(zmq::socket_t& socket);

/// One copy, into the message. A single-frame socket: DEALER or PUB.
SendStatus send_frame(zmq::socket_t& socket, std::string_view frame);
/// A ROUTER.
SendStatus send_to(zmq::socket_t& socket, std::string_view identity, std::string_view frame);

}  // namespace processhub::zmq_detail
