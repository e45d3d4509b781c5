#include "transport/zmq/reachability_probe.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

namespace processhub::zmq_detail {
namespace {

ProbeOutcome meaning_of(int error) {
  return error == ECONNREFUSED ? ProbeOutcome::refused : ProbeOutcome::inconclusive;
}

// A connect() to a free port of this machine may pick that port as its own and reach itself.
bool is_connected_to_itself(int fd) {
  sockaddr_in own{};
  sockaddr_in peer{};
  socklen_t own_size = sizeof own;
  socklen_t peer_size = sizeof peer;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) != 0) return false;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) return false;
  return own.sin_port == peer.sin_port && own.sin_addr.s_addr == peer.sin_addr.s_addr;
}

}  // namespace

std::optional<ProbeOutcome> ReachabilityProbe::start(std::uint32_t ipv4, std::uint16_t port) {
  socket_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_) return ProbeOutcome::inconclusive;
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = ipv4;
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return outcome();
  if (errno == EINPROGRESS) return std::nullopt;
  return meaning_of(errno);
}

ProbeOutcome ReachabilityProbe::outcome() const {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0)
    return ProbeOutcome::inconclusive;
  if (error == 0 && is_connected_to_itself(socket_.get())) return ProbeOutcome::refused;
  return meaning_of(error);
}

}  // namespace processhub::zmq_detail
