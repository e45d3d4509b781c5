// The class behind make_zmq_transport(). zmq_transport.cpp has what the loop calls between polls,
// poll_turn.cpp the poll, connection_report.cpp what tools are told.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>
#include <zmq.hpp>

#include "processhub/transport.hpp"
#include "transport/zmq/curve_settings.hpp"
#include "transport/zmq/event_poll.hpp"
#include "transport/zmq/peer_connection.hpp"
#include "transport/zmq/route_table.hpp"
#include "transport/zmq/socket_monitor.hpp"
#include "transport/zmq/socket_options.hpp"
#include "transport/zmq/zap_handler.hpp"
#include "transport/zmq/zmq_transport.hpp"

namespace processhub::zmq_detail {

/// What a descriptor in the epoll set belongs to.
enum class Source : std::uint8_t {
  wake_up,
  router,
  router_monitor,
  publisher,
  publisher_monitor,
  connection,
  connection_monitor,
  probe,
};

class ZmqTransport final : public Transport {
 public:
  /// Throws zmq::error_t or std::system_error if there are no descriptors left.
  ZmqTransport(const HubConfig& config, std::optional<CurveSettings> curve);
  ZmqTransport(const ZmqTransport&) = delete;
  ZmqTransport& operator=(const ZmqTransport&) = delete;
  ~ZmqTransport() override;

  Result<BoundAddresses> bind(const std::string& router, const std::string& publisher) override;
  void connect(LinkId link, const std::string& router_endpoint) override;
  void disconnect(LinkId link) override;
  void subscribe(const std::string& pub_endpoint) override;
  void unsubscribe(const std::string& pub_endpoint) override;
  SendStatus send(LinkId link, std::string_view frame) override;
  SendStatus reply(RouteId route, std::string_view frame) override;
  SendStatus publish(std::string_view frame) override;
  bool poll(std::chrono::microseconds timeout, TransportEvents& events, int budget) override;
  std::vector<ConnectionInfo> connections() const override;
  void wake() override { wake_up_.give(); }
  void close() override;

  ZmqCounters counters() const;

 private:
  using Connections = std::unordered_map<ConnectionId, std::unique_ptr<PeerConnection>>;

  struct Server {
    zmq::socket_t socket{};
    SocketMonitor monitor{};
    bool queued = false;
    ConnectionHistory history{};
    std::string endpoint{};
    std::set<int> accepted{};  ///< descriptors of libzmq's, of those that read from a PUB
  };
  /// Who has input to be read: the ROUTER (0) or a connection.
  using Reader = ConnectionId;
  static constexpr Reader kRouterReader = 0;

  enum class TimerKind : std::uint8_t { reconnect, probe };
  struct Timer {
    ConnectionId connection = 0;
    TimerKind kind = TimerKind::reconnect;
  };
  /// One call of poll().
  struct Turn {
    TransportEvents& events;
    int budget = 0;
    bool delivered = false;
  };

  // zmq_transport.cpp
  Result<void> check_exposure(const TcpAddress& address) const;
  Result<std::string> open_server(Server& server, zmq::socket_t socket, const TcpAddress& address,
                                  Source source, Source monitor, int events);
  void close_server(Server& server);
  PeerConnection& add_connection(PeerConnection::Kind kind, LinkId link, TcpAddress address);
  void open(PeerConnection& connection);
  void reopen_later(PeerConnection& connection);
  void detach(PeerConnection& connection, PeerConnection::Unsent unsent);
  void retire(Connections::iterator position);
  bool watch(int fd, Source source, ConnectionId connection = 0);  ///< false: errno says why not
  void queue(PeerConnection& connection);
  void queue_router();
  bool refuse_oversize(std::string_view frame);
  void note_problem(std::string problem);

  // connection_report.cpp
  void list_server(const Server& server, std::vector<ConnectionInfo>& out) const;

  // poll_turn.cpp
  PeerConnection* find(ConnectionId id);
  std::chrono::microseconds sleep_limit(std::chrono::microseconds timeout) const;
  void report_unusable_links(TransportEvents& events);
  void wait_for_events(std::chrono::microseconds timeout, Turn& turn);
  void on_ready(Source source, ConnectionId connection, Turn& turn);
  void read_server_monitor(Server& server);
  void serve_readers(Turn& turn);
  bool serve_router(Turn& turn, int share);
  bool serve_connection(ConnectionId id, Turn& turn, int share);
  bool deliver_frames(PeerConnection& connection, Turn& turn, int& share);
  bool take_monitor_event(PeerConnection& connection);
  void act_on_held_event(PeerConnection& connection, Turn& turn);
  void on_up(PeerConnection& connection, Turn& turn);
  void on_broken(PeerConnection& connection, Turn& turn);
  void on_retry(PeerConnection& connection, Turn& turn);
  void start_probe(PeerConnection& connection, Turn& turn);
  void finish_probe(PeerConnection& connection, ProbeOutcome outcome, Turn& turn);
  void report_down(PeerConnection& connection, bool refused, Turn& turn);
  void fire_timers(Turn& turn);

  SocketSetup setup_{};
  bool may_leave_loopback_ = false;
  bool closed_ = false;

  EventPoll poll_{};
  WakeUp wake_up_{};
  zmq::context_t context_;
  std::unique_ptr<ZapHandler> zap_{};  ///< only with CURVE

  Server router_{};
  Server publisher_{};
  RouteTable routes_;
  Connections connections_{};
  std::unordered_map<LinkId, PeerConnection*> links_{};
  std::unordered_map<std::string, PeerConnection*> subscriptions_{};
  std::vector<std::unique_ptr<PeerConnection>> retired_{};  ///< closed, but perhaps on the stack of this poll
  std::vector<LinkId> unusable_{};                          ///< their address makes no sense; to be reported
  ConnectionId last_connection_ = 0;

  std::deque<Reader> readers_{};  ///< taken in turn, so that none starves the others
  std::multimap<SteadyTime, Timer> timers_{};
  zmq::message_t identity_{};  ///< reused for every frame
  zmq::message_t body_{};
  ZmqCounters counters_{};
};

}  // namespace processhub::zmq_detail
