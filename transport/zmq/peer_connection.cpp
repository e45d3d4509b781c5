#include "transport/zmq/peer_connection.hpp"

#include <zmq.h>

#include <algorithm>
#include <utility>

namespace processhub::zmq_detail {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstWait{5};
constexpr milliseconds kLongestWait{500};  // two unlucky attempts must not look like a death (suspect_after)
constexpr std::chrono::seconds kStable{1};

}  // namespace

milliseconds Backoff::next() {
  wait_ = std::clamp(wait_ * 2, kFirstWait, kLongestWait);
  return wait_;
}

void Backoff::was_up_for(SteadyTime::duration time) {
  if (time >= kStable) wait_ = milliseconds(0);
}

PeerConnection::PeerConnection(ConnectionId id_, Kind kind_, LinkId link_, TcpAddress address_)
    : id(id_), kind(kind_), link(link_), address(std::move(address_)), ipv4_(numeric_ipv4(address.host)) {}

bool PeerConnection::open(zmq::context_t& context, const SocketSetup& setup) {
  try {
    socket_ = kind == Kind::link ? open_dealer(context, setup) : open_subscriber(context, setup);
    monitor_.attach(context, socket_, std::to_string(id) + "." + std::to_string(++opened_),
                    kConnectionEvents);
    socket_.connect(address.str());
    return true;
  } catch (const zmq::error_t&) {
    const int error = zmq_errno();
    close(Unsent::drop);
    errno = error;
    return false;
  }
}

void PeerConnection::close(Unsent unsent) {
  monitor_.detach(socket_);
  if (socket_ && unsent == Unsent::drop) socket_.set(zmq::sockopt::linger, 0);
  socket_.close();
  queued = data_ready = monitor_ready = up = false;
  held.reset();
}

void PeerConnection::learn_address(zmq::message_t& frame) {
  if (ipv4_) return;
  const char* peer = zmq_msg_gets(frame.handle(), "Peer-Address");
  if (peer != nullptr) ipv4_ = numeric_ipv4(peer);
}

}  // namespace processhub::zmq_detail
