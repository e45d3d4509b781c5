// What tools are told of a transport's connections.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "transport/zmq/zmq_transport_impl.hpp"

namespace processhub::zmq_detail {
namespace {

std::optional<TcpAddress> address_of(int fd, int (*which)(int, sockaddr*, socklen_t*)) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (which(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0 || address.sin_family != AF_INET)
    return std::nullopt;
  const auto host = ntohl(address.sin_addr.s_addr);
  const auto part = [host](unsigned shift) { return std::to_string((host >> shift) & 0xFFU); };
  return TcpAddress{part(24) + "." + part(16) + "." + part(8) + "." + part(0), ntohs(address.sin_port)};
}

/// The descriptor is libzmq's: by now it may be closed, or be another one's, which its own port shows.
std::optional<ConnectionInfo> subscriber_at(int fd, const std::string& endpoint) {
  const auto own = address_of(fd, ::getsockname);
  const auto peer = address_of(fd, ::getpeername);
  tcp_info tcp{};
  socklen_t size = sizeof tcp;
  if (!own || !peer || !endpoint.ends_with(":" + std::to_string(own->port)) ||
      ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &tcp, &size) != 0)
    return std::nullopt;
  ConnectionInfo out;
  out.kind = ConnectionInfo::Kind::subscriber;
  out.endpoint = peer->str();
  out.up = true;
  out.connected = 1;
  out.unread = tcp.tcpi_notsent_bytes + std::uint64_t{tcp.tcpi_unacked} * tcp.tcpi_snd_mss;
  out.confirmed = tcp.tcpi_bytes_acked;
  return out;
}

}  // namespace

void ConnectionHistory::note_failure(std::string what) {
  ++failed;
  problem = std::move(what);
  problem_at = std::chrono::steady_clock::now();
}

void ConnectionHistory::copy_to(ConnectionInfo& out) const {
  out.connected = connected;
  out.retried = retried;
  out.lost = lost;
  out.failed = failed;
  out.problem = problem;
  if (problem.empty()) return;
  const auto age = std::chrono::steady_clock::now() - problem_at;
  out.problem_age = std::chrono::duration_cast<std::chrono::milliseconds>(age);
}

std::vector<ConnectionInfo> ZmqTransport::connections() const {
  std::vector<ConnectionInfo> out;
  list_server(router_, out);
  list_server(publisher_, out);
  for (const auto& [id, connection] : connections_) {
    ConnectionInfo info;
    info.kind = connection->kind == PeerConnection::Kind::link ? ConnectionInfo::Kind::link
                                                               : ConnectionInfo::Kind::subscription;
    info.link = connection->link;
    info.endpoint = connection->address.str();
    info.up = connection->up && connection->is_open();
    connection->history.copy_to(info);
    out.push_back(std::move(info));
  }
  std::sort(out.begin(), out.end(), [](const ConnectionInfo& a, const ConnectionInfo& b) {
    return std::tie(a.kind, a.endpoint, a.link) < std::tie(b.kind, b.endpoint, b.link);
  });
  return out;
}

void ZmqTransport::list_server(const Server& server, std::vector<ConnectionInfo>& out) const {
  if (!server.socket) return;
  ConnectionInfo info;
  info.kind = ConnectionInfo::Kind::incoming;
  info.endpoint = server.endpoint;
  info.up = true;
  server.history.copy_to(info);
  if (const auto who = zap_ ? zap_->last_denied() : std::string();
      !who.empty() && info.problem == kKeyRefused)
    info.problem += ", the last time " + who;
  out.push_back(std::move(info));
  for (const int fd : server.accepted)
    if (auto reader = subscriber_at(fd, server.endpoint)) out.push_back(std::move(*reader));
}

}  // namespace processhub::zmq_detail
