#include "transport/zmq/socket_io.hpp"

namespace processhub::zmq_detail {
namespace {

bool send_part(zmq::socket_t& socket, std::string_view part, int flags) {
  return zmq_send(socket.handle(), part.data(), part.size(), flags | ZMQ_DONTWAIT) >= 0;
}

// libzmq looks into a socket's mailbox only now and then while sending: "no room" may be old news. Ask, then
// try again.
bool send_first_part(zmq::socket_t& socket, std::string_view part, int flags) {
  if (send_part(socket, part, flags)) return true;
  process_mailbox(socket);
  return send_part(socket, part, flags);
}

SendStatus failure() { return zmq_errno() == EAGAIN ? SendStatus::full : SendStatus::unroutable; }

}  // namespace

void skip_parts(zmq::socket_t& socket, zmq::message_t& part) {
  while (part.more() && receive_part(socket, part)) {
  }
}

void process_mailbox(zmq::socket_t& socket) {
  int events = 0;
  std::size_t size = sizeof events;
  zmq_getsockopt(socket.handle(), ZMQ_EVENTS, &events, &size);
}

SendStatus send_frame(zmq::socket_t& socket, std::string_view frame) {
  return send_first_part(socket, frame, 0) ? SendStatus::ok : failure();
}

SendStatus send_to(zmq::socket_t& socket, std::string_view identity, std::string_view frame) {
  if (!send_first_part(socket, identity, ZMQ_SNDMORE)) return failure();
  // Room was checked with the identity; if the connection ends in between, the frame goes where it would have
  // gone anyway.
  return send_part(socket, frame, 0) ? SendStatus::ok : failure();
}

}  // namespace processhub::zmq_detail
