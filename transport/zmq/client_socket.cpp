#include "transport/zmq/client_socket.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <zmq.h>

#include <array>
#include <utility>

#include "transport/zmq/capacity.hpp"
#include "transport/zmq/reachability_probe.hpp"
#include "transport/zmq/socket_io.hpp"
#include "transport/zmq/socket_monitor.hpp"
#include "transport/zmq/socket_options.hpp"
#include "transport/zmq/tcp_address.hpp"

namespace processhub {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using namespace zmq_detail;

constexpr milliseconds kSendPatience{5'000};

int milliseconds_until(steady_clock::time_point deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

/// Waits for the answer, at most a quarter of a second.
bool refuses_connections(const TcpAddress& address) {
  const auto ipv4 = numeric_ipv4(address.host);
  if (!ipv4) return false;
  ReachabilityProbe probe;
  if (const auto outcome = probe.start(*ipv4, address.port)) return *outcome == ProbeOutcome::refused;
  pollfd waiting{probe.fd(), POLLOUT, 0};
  if (::poll(&waiting, 1, static_cast<int>(ReachabilityProbe::kPatience.count())) <= 0) return false;
  return probe.outcome() == ProbeOutcome::refused;
}

/// What getaddrinfo says against a host name; empty if it has an address. Asked when libzmq, which tells
/// nothing, has failed to connect.
std::string resolve_failure(const std::string& host) {
  if (numeric_ipv4(host)) return {};
  addrinfo hints{};
  hints.ai_family = AF_INET;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (failed != 0) return ::gai_strerror(failed);
  ::freeaddrinfo(found);
  return {};
}

}  // namespace

class ClientSocket::Impl {
 public:
  Impl(TcpAddress address, const ClientOptions& options)
      : address_(std::move(address)),
        refused_patience_(options.refused_patience),
        context_(1),
        socket_(open_dealer(context_, client_setup(options))) {
    monitor_.attach(context_, socket_, "client", kConnectionEvents);
    socket_.connect(address_.str());
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    monitor_.detach(socket_);
    socket_.close();
  }

  Result<void> wait_connected(milliseconds timeout) {
    const auto deadline = steady_clock::now() + timeout;
    const auto starting_until = steady_clock::now() + refused_patience_;
    bool refused = false;
    for (;;) {
      while (const auto event = monitor_.next()) {
        if (event->what == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) return {};
        if (auto error = reason_to_give_up(*event)) return *error;
        if (event->what != ZMQ_EVENT_CONNECT_RETRIED) continue;
        if (const auto why = resolve_failure(address_.host); !why.empty()) return unresolved(why);
        refused = refuses_connections(address_);
        if (refused && steady_clock::now() >= starting_until) return connection_refused();
      }
      const int left = milliseconds_until(deadline);
      if (left == 0 && refused) return connection_refused();
      if (left == 0) return {ErrorCode::timeout, fmt::format("{} did not answer in time", address_.str())};
      zmq_pollitem_t item{monitor_.pair().handle(), 0, ZMQ_POLLIN, 0};
      zmq_poll(&item, 1, left);
    }
  }

  Result<void> send(std::string_view frame) {
    const auto deadline = steady_clock::now() + kSendPatience;
    for (;;) {
      if (connection_broke()) return lost();
      if (send_frame(socket_, frame) == SendStatus::ok) return {};
      const int left = milliseconds_until(deadline);
      if (left == 0) return {ErrorCode::overloaded, fmt::format("{} takes no frames", address_.str())};
      wait(ZMQ_POLLOUT, left);
    }
  }

  Result<std::optional<std::string>> receive(milliseconds timeout) {
    const auto deadline = steady_clock::now() + timeout;
    zmq::message_t frame;
    for (;;) {
      // In this order: what came before the connection broke is in the socket by the time the monitor tells.
      const bool broke = connection_broke();
      if (receive_part(socket_, frame)) {
        if (!frame.more()) return std::optional<std::string>(view_of(frame));
        skip_parts(socket_, frame);
        continue;
      }
      if (broke) return lost();
      const int left = milliseconds_until(deadline);
      if (left == 0) return std::optional<std::string>();
      wait(ZMQ_POLLIN, left);
    }
  }

 private:
  std::optional<Error> reason_to_give_up(const MonitorEvent& event) const {
    if (event.what == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
      return Error{ErrorCode::refused, fmt::format("{} does not accept our key", address_.str())};
    }
    // A socket of another kind than ROUTER is a DISCONNECTED without a reason.
    if (is_handshake_failure(event.what) || event.what == ZMQ_EVENT_DISCONNECTED) {
      return Error{ErrorCode::system, fmt::format("{}: {}; is it a hub's address, and are the keys right?",
                                                  address_.str(), describe_handshake_failure(event))};
    }
    return std::nullopt;
  }
  Error connection_refused() const {
    return {ErrorCode::node_down, fmt::format("{}: connection refused", address_.str())};
  }
  Error unresolved(const std::string& why) const {
    return {ErrorCode::system, fmt::format("cannot resolve '{}': {}", address_.host, why)};
  }

  /// libzmq may connect again, but the node's answers to what we sent are gone with the old connection.
  bool connection_broke() {
    while (const auto event = monitor_.next()) broke_ = broke_ || event->what == ZMQ_EVENT_DISCONNECTED;
    return broke_;
  }

  Error lost() const {
    return {ErrorCode::node_down, fmt::format("the connection to {} broke", address_.str())};
  }

  void wait(short what, int timeout_ms) {
    std::array<zmq_pollitem_t, 2> items{
        {{socket_.handle(), 0, what, 0}, {monitor_.pair().handle(), 0, ZMQ_POLLIN, 0}}};
    zmq_poll(items.data(), static_cast<int>(items.size()), timeout_ms);
  }

  TcpAddress address_;
  milliseconds refused_patience_;
  zmq::context_t context_;
  zmq::socket_t socket_;
  SocketMonitor monitor_{};
  bool broke_ = false;
};

Result<ClientOptions> client_options(const SecurityConfig& security) {
  ClientOptions options;
  if (security.secret_key_file.empty()) {
    if (security.server_key_file.empty()) return options;
    return {ErrorCode::invalid,
            "a server key needs a key pair of our own (security.secret_key_file) beside it"};
  }
  auto own = read_key_file(security.secret_key_file);
  if (!own) return own.error();
  options.server_public_key = own->public_key;
  options.keys = std::move(*own);
  if (security.server_key_file.empty()) return options;
  auto server = read_public_key(security.server_key_file);
  if (!server) return server.error();
  options.server_public_key = std::move(*server);
  return options;
}

ClientSocket::ClientSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ClientSocket::ClientSocket(ClientSocket&&) noexcept = default;
ClientSocket& ClientSocket::operator=(ClientSocket&&) noexcept = default;
ClientSocket::~ClientSocket() = default;

Result<ClientSocket> ClientSocket::connect(const std::string& endpoint, milliseconds timeout,
                                           const ClientOptions& options) {
  auto address = parse_peer_address(endpoint);
  if (!address) return address.error();
  if (!has_descriptors_for_a_context())
    return {ErrorCode::system, "cannot start ZeroMQ: too many open files"};
  try {
    auto impl = std::make_unique<Impl>(std::move(*address), options);
    if (auto connected = impl->wait_connected(timeout); !connected) return connected.error();
    return ClientSocket(std::move(impl));
  } catch (const zmq::error_t& error) {
    return {ErrorCode::system, fmt::format("cannot connect to {}: {}", endpoint, error.what())};
  }
}

Result<void> ClientSocket::send(std::string_view frame) { return impl_->send(frame); }

Result<std::optional<std::string>> ClientSocket::receive(milliseconds timeout) {
  return impl_->receive(timeout);
}

}  // namespace processhub
