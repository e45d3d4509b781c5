#include "transport/zmq/zmq_transport.hpp"

#include <fmt/format.h>
#include <zmq.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "transport/zmq/capacity.hpp"
#include "transport/zmq/socket_io.hpp"
#include "transport/zmq/zmq_transport_impl.hpp"

namespace processhub {
namespace zmq_detail {
namespace {

// Live routes are bounded by the open files; this bounds what is remembered of dead ones, to some 10 MB.
constexpr std::size_t kMaxRoutes = 65'536;
// One I/O thread moves more than two million small frames a second; a second one only competes for the cores.
constexpr int kIoThreads = 1;

SocketSetup socket_setup(const HubConfig& config, const std::optional<CurveSettings>& curve) {
  // A frame holds a piece of a message, so this is far above what peers send; it follows the one size users
  // configure.
  constexpr std::uint64_t kLargest = 1ULL << 40;
  SocketSetup setup;
  setup.max_frame = static_cast<std::int64_t>(std::min(config.max_message_size, kLargest)) + kFrameOverhead;
  if (curve) {
    setup.own_keys = curve->own;
    setup.server_keys = curve->server;
  }
  return setup;
}

}  // namespace

ZmqTransport::ZmqTransport(const HubConfig& config, std::optional<CurveSettings> curve)
    : setup_(socket_setup(config, curve)),
      may_leave_loopback_(curve.has_value() || config.security.insecure),
      context_(kIoThreads, claim_capacity().sockets),
      routes_(kMaxRoutes) {
  const zmq::socket_t starts_the_threads(context_, zmq::socket_type::pair);
  if (!watch(wake_up_.fd(), Source::wake_up))
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  if (curve) zap_ = std::make_unique<ZapHandler>(context_, std::move(curve->allowed));
}

ZmqTransport::~ZmqTransport() { close(); }

Result<BoundAddresses> ZmqTransport::bind(const std::string& router, const std::string& publisher) {
  if (closed_ || router_.socket) return {ErrorCode::invalid, "the transport is closed or bound already"};
  const auto router_address = parse_bind_address(router);
  if (!router_address) return router_address.error();
  const auto publisher_address = publisher.empty() ? Result<TcpAddress>(TcpAddress{router_address->host, 0})
                                                   : parse_bind_address(publisher);
  if (!publisher_address) return publisher_address.error();
  for (const auto* address : {&*router_address, &*publisher_address}) {
    if (auto allowed = check_exposure(*address); !allowed) return allowed.error();
  }
  try {
    auto bound_router = open_server(router_, open_router(context_, setup_), *router_address, Source::router,
                                    Source::router_monitor, kHandshakeFailures);
    if (!bound_router) return bound_router.error();
    auto bound_publisher =
        open_server(publisher_, open_publisher(context_, setup_), *publisher_address, Source::publisher,
                    Source::publisher_monitor, kHandshakeFailures | kSubscriberEvents);
    if (!bound_publisher) {
      close_server(router_);
      return bound_publisher.error();
    }
    return BoundAddresses{*bound_router, *bound_publisher};
  } catch (const zmq::error_t& error) {
    close_server(router_);
    close_server(publisher_);
    return {ErrorCode::system, fmt::format("no ZeroMQ socket to listen with: {}", error.what())};
  }
}

Result<void> ZmqTransport::check_exposure(const TcpAddress& address) const {
  if (may_leave_loopback_ || is_loopback(address.host)) return {};
  return {
      ErrorCode::invalid,
      fmt::format(
          "{} can be reached from other machines and no keys are configured: set security.secret_key_file "
          "(`hubctl keygen` makes one), or security.insecure = true to go without encryption",
          address.str())};
}

Result<std::string> ZmqTransport::open_server(Server& server, zmq::socket_t socket, const TcpAddress& address,
                                              Source source, Source monitor, int events) {
  server.socket = std::move(socket);
  // A name of its own for each attempt: libzmq frees the name of a closed monitor only after a while.
  // Not ACCEPT_FAILED: without a free descriptor libzmq tries again at once and without end, and its events
  // would come faster than the loop can read them.
  server.monitor.attach(context_, server.socket, "server." + std::to_string(++last_connection_), events);
  if (zmq_bind(server.socket.handle(), address.str().c_str()) != 0) {
    const std::string reason = zmq_strerror(zmq_errno());
    close_server(server);
    return {ErrorCode::system, fmt::format("cannot listen on {}: {}", address.str(), reason)};
  }
  if (!watch(server.socket.get(zmq::sockopt::fd), source) || !watch(server.monitor.fd(), monitor)) {
    const std::string reason = zmq_strerror(errno);
    close_server(server);
    return {ErrorCode::system, fmt::format("cannot watch {}: {}", address.str(), reason)};
  }
  read_server_monitor(server);  // the first look: see EventPoll
  server.endpoint = server.socket.get(zmq::sockopt::last_endpoint);
  return server.endpoint;
}

void ZmqTransport::close_server(Server& server) {
  if (!server.socket) return;
  poll_.remove(server.socket.get(zmq::sockopt::fd));
  if (server.monitor.pair()) poll_.remove(server.monitor.fd());
  server.monitor.detach(server.socket);
  server.socket.close();
  server.queued = false;
  server.accepted.clear();
}

void ZmqTransport::connect(LinkId link, const std::string& router_endpoint) {
  disconnect(link);
  if (closed_) return;
  auto address = parse_peer_address(router_endpoint);
  if (!address) {
    note_problem(address.error().message);
    unusable_.push_back(link);
    return;
  }
  auto& connection = add_connection(PeerConnection::Kind::link, link, std::move(*address));
  links_[link] = &connection;
  open(connection);
}

void ZmqTransport::disconnect(LinkId link) {
  std::erase(unusable_, link);
  const auto known = links_.find(link);
  if (known == links_.end()) return;
  const auto position = connections_.find(known->second->id);
  links_.erase(known);
  retire(position);
}

void ZmqTransport::subscribe(const std::string& pub_endpoint) {
  if (closed_ || subscriptions_.contains(pub_endpoint)) return;
  auto address = parse_peer_address(pub_endpoint);
  if (!address) return note_problem(address.error().message);
  auto& connection = add_connection(PeerConnection::Kind::subscription, 0, std::move(*address));
  subscriptions_[pub_endpoint] = &connection;
  open(connection);
}

void ZmqTransport::unsubscribe(const std::string& pub_endpoint) {
  const auto known = subscriptions_.find(pub_endpoint);
  if (known == subscriptions_.end()) return;
  const auto position = connections_.find(known->second->id);
  subscriptions_.erase(known);
  retire(position);
}

SendStatus ZmqTransport::send(LinkId link, std::string_view frame) {
  const auto known = links_.find(link);
  if (known == links_.end() || !known->second->up || refuse_oversize(frame)) return SendStatus::unroutable;
  PeerConnection& connection = *known->second;
  const SendStatus status = send_frame(connection.socket(), frame);
  connection.data_ready = true;  // see EventPoll
  queue(connection);
  return status;
}

SendStatus ZmqTransport::reply(RouteId route, std::string_view frame) {
  const std::string_view identity = routes_.identity_of(route);
  if (identity.empty() || !router_.socket || refuse_oversize(frame)) return SendStatus::unroutable;
  const SendStatus status = send_to(router_.socket, identity, frame);
  queue_router();
  if (status == SendStatus::unroutable) routes_.forget(route);
  return status;
}

SendStatus ZmqTransport::publish(std::string_view frame) {
  if (!publisher_.socket || refuse_oversize(frame)) return SendStatus::unroutable;
  return send_frame(publisher_.socket, frame);
}

void ZmqTransport::close() {
  if (closed_) return;
  closed_ = true;
  for (auto& [id, connection] : connections_) detach(*connection, PeerConnection::Unsent::deliver);
  links_.clear();
  subscriptions_.clear();
  timers_.clear();
  readers_.clear();
  close_server(router_);
  close_server(publisher_);
  context_.shutdown();  // ends the ZAP thread
  if (zap_) counters_.denied_keys = zap_->denied();
  zap_.reset();
  context_.close();  // waits for what lingers
}

ZmqCounters ZmqTransport::counters() const {
  ZmqCounters result = counters_;
  if (zap_) result.denied_keys = zap_->denied();
  return result;
}

PeerConnection& ZmqTransport::add_connection(PeerConnection::Kind kind, LinkId link, TcpAddress address) {
  const ConnectionId id = ++last_connection_;
  auto& slot = connections_[id];
  slot = std::make_unique<PeerConnection>(id, kind, link, std::move(address));
  return *slot;
}

void ZmqTransport::open(PeerConnection& connection) {
  connection.reconnect_at.reset();
  if (connection.open(context_, setup_) &&
      watch(connection.socket().get(zmq::sockopt::fd), Source::connection, connection.id) &&
      watch(connection.monitor().fd(), Source::connection_monitor, connection.id)) {
    connection.data_ready = connection.monitor_ready = true;  // the first look: see EventPoll
    return queue(connection);
  }
  note_problem(fmt::format("cannot connect to {}: {}", connection.address.str(), zmq_strerror(zmq_errno())));
  detach(connection, PeerConnection::Unsent::drop);
  reopen_later(connection);
}

void ZmqTransport::reopen_later(PeerConnection& connection) {
  ++connection.history.retried;
  connection.reconnect_at = std::chrono::steady_clock::now() + connection.backoff.next();
  timers_.emplace(*connection.reconnect_at, Timer{connection.id, TimerKind::reconnect});
}

/// Takes a connection's socket out of the poll set and closes it.
void ZmqTransport::detach(PeerConnection& connection, PeerConnection::Unsent unsent) {
  if (!connection.is_open()) return;
  poll_.remove(connection.socket().get(zmq::sockopt::fd));
  poll_.remove(connection.monitor().fd());
  connection.close(unsent);
}

void ZmqTransport::retire(Connections::iterator position) {
  detach(*position->second, PeerConnection::Unsent::deliver);
  position->second->probe.cancel();
  retired_.push_back(std::move(position->second));
  connections_.erase(position);
}

bool ZmqTransport::watch(int fd, Source source, ConnectionId connection) {
  const std::uint32_t events = source == Source::probe ? EPOLLOUT : EPOLLIN;
  const std::uint64_t tag = (connection << 8U) | static_cast<std::uint64_t>(source);
  return poll_.add(fd, tag, events);
}

void ZmqTransport::queue(PeerConnection& connection) {
  if (connection.queued) return;
  connection.queued = true;
  readers_.push_back(connection.id);
}

void ZmqTransport::queue_router() {
  if (router_.queued) return;
  router_.queued = true;
  readers_.push_back(kRouterReader);
}

/// The peer would cut the connection, and the frame would be sent again and again.
bool ZmqTransport::refuse_oversize(std::string_view frame) {
  if (frame.size() <= static_cast<std::size_t>(setup_.max_frame)) return false;
  ++counters_.oversize_frames;
  note_problem(fmt::format("a frame of {} bytes is larger than max_message_size allows", frame.size()));
  return true;
}

void ZmqTransport::note_problem(std::string problem) { counters_.last_problem = std::move(problem); }

}  // namespace zmq_detail

Result<std::unique_ptr<Transport>> make_zmq_transport(const HubConfig& config) {
  auto curve = zmq_detail::load_curve_settings(config.security);
  if (!curve) return curve.error();
  if (!zmq_detail::has_descriptors_for_a_context())
    return {ErrorCode::system, "cannot start ZeroMQ: too many open files"};
  try {
    return std::unique_ptr<Transport>(std::make_unique<zmq_detail::ZmqTransport>(config, std::move(*curve)));
  } catch (const std::exception& error) {  // zmq::error_t, std::system_error
    return {ErrorCode::system, fmt::format("cannot start ZeroMQ: {}", error.what())};
  }
}

std::optional<ZmqCounters> zmq_counters(const Transport& transport) {
  const auto* own = dynamic_cast<const zmq_detail::ZmqTransport*>(&transport);
  if (own == nullptr) return std::nullopt;
  return own->counters();
}

}  // namespace processhub
