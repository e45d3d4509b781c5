// The network of a simulated cluster: hosts with a ROUTER and a PUB each, connections between them as ordered
// streams that remember nothing (what is in flight when a connection breaks is gone), and faults drawn from
// the seed.
//
// A host called "a" listens on tcp://sim-a:7001 (ROUTER) and tcp://sim-a:7002 (PUB). It produces the network
// events of HubCore and takes its network effects; like ZeroMQ, it reconnects by itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/protocol/containers.hpp"
#include "core/protocol/event.hpp"
#include "transport/sim/sim_faults.hpp"
#include "transport/sim/sim_rng.hpp"
#include "transport/sim/sim_scheduler.hpp"

namespace processhub::sim {

/// A machine with an address; numbered in the order of first mention.
using HostId = std::uint32_t;

std::string router_endpoint(std::string_view host);
std::string pub_endpoint(std::string_view host);

struct NetworkCounters {
  std::uint64_t frames = 0;  ///< accepted on links, either way
  std::uint64_t bytes = 0;
  std::uint64_t publications = 0;  ///< copies, one per subscriber
  std::uint64_t publication_bytes = 0;
  std::uint64_t delivered = 0;  ///< frames and publications that arrived
  std::uint64_t lost = 0;       ///< by a fault, a full queue or a broken connection
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t resets = 0;
  std::uint64_t refused = 0;
};

class SimNetwork {
 public:
  /// Takes what arrives at a host.
  using Deliver = std::function<void(protocol::Event)>;

  SimNetwork(Scheduler& scheduler, Rng rng, const Faults& faults);
  ~SimNetwork();
  SimNetwork(const SimNetwork&) = delete;
  SimNetwork& operator=(const SimNetwork&) = delete;

  HostId host(std::string_view name);
  const std::string& name(HostId host) const { return hosts_[host].name; }
  /// Opens the host's sockets. Its connections, links and subscriptions start empty.
  void attach(HostId host, Deliver deliver);
  enum class Detach : std::uint8_t {
    closed,  ///< the process ended: peers see the connections close, new ones are refused
    silent,  ///< the machine is gone: nobody is told anything
  };
  void detach(HostId host, Detach how);
  bool attached(HostId host) const { return hosts_[host].attached; }

  // The effects of the core that runs on `from`.
  void connect(HostId from, LinkId link, const std::string& endpoint);
  void disconnect(HostId from, LinkId link);
  void subscribe(HostId from, const std::string& endpoint);
  void unsubscribe(HostId from, const std::string& endpoint);
  void send_link(HostId from, LinkId link, Bytes frame);
  void send_route(HostId from, RouteId route, Bytes frame);
  void publish(HostId from, Bytes frame);

  /// Nothing passes from one to the other until heal(); the other direction is not touched.
  void cut(HostId from, HostId to);
  void heal(HostId from, HostId to);
  void heal_all();
  bool is_cut(HostId from, HostId to) const { return cuts_.contains({from, to}); }
  const std::set<std::pair<HostId, HostId>>& cuts() const { return cuts_; }
  /// Breaks every connection between the two; both reconnect.
  void reset_between(HostId a, HostId b);
  /// Everything from one to the other takes this much longer; zero clears it.
  void clog(HostId from, HostId to, Duration extra);

  const NetworkCounters& counters() const { return counters_; }
  const Faults& faults() const { return faults_; }

 private:
  struct Frame {
    Bytes bytes{};
    bool end = false;                            ///< the stream's last word: the sender closed it
    std::shared_ptr<const Bytes> publication{};  ///< instead of `bytes`: one copy for all subscribers

    std::size_t size() const { return publication ? publication->size() : bytes.size(); }
  };
  /// One direction of a connection. A large cluster has millions, most of them idle.
  struct Stream {
    Time last_arrival{};
    protocol::Fifo<Frame> held{};       ///< waits for the cut to heal
    protocol::Fifo<Time> departures{};  ///< of frames that still wait for their turn on a narrow line
  };
  /// The wish of a host to be connected, which outlives connections.
  struct Dial {
    HostId from = 0;
    std::uint64_t life = 0;
    bool subscription = false;
    LinkId link = 0;
    HostId target = 0;
    bool target_known = true;  ///< false: an address that belongs to no host
    std::uint64_t connection = 0;
    std::uint64_t attempt = 0;  ///< a scheduled attempt with an older number is void
    std::uint32_t failures = 0;
    bool told_refused = false;
    protocol::Fifo<Bytes> unsent{};
  };
  struct Connection {
    std::uint64_t dial = 0;
    HostId dialer = 0;
    HostId listener = 0;
    std::uint64_t dialer_life = 0;
    std::uint64_t listener_life = 0;
    bool subscription = false;
    bool subscribed = false;
    LinkId link = 0;
    RouteId route = 0;
    Stream there{};  ///< dialer to listener
    Stream back{};
  };
  struct Host {
    std::string name{};
    bool attached = false;
    bool silent = false;
    std::uint64_t life = 0;
    Deliver deliver{};
    std::map<LinkId, std::uint64_t> links{};               ///< to dials
    std::map<std::string, std::uint64_t> subscriptions{};  ///< to dials
    std::map<RouteId, std::uint64_t> routes{};             ///< to connections
    std::set<std::uint64_t> subscribers{};                 ///< connections
    RouteId last_route = 0;
  };

  // Dialing.
  std::uint64_t add_dial(HostId from, const std::string& endpoint, bool subscription, LinkId link);
  void drop_dial(std::uint64_t dial);
  void schedule_attempt(std::uint64_t dial, Duration delay);
  void attempt(std::uint64_t dial);
  void refuse(std::uint64_t id, Dial& dial);
  void establish(std::uint64_t id, Dial& dial);
  Duration backoff(const Dial& dial);
  bool reachable(HostId a, HostId b) const;

  // Streams.
  Duration frame_delay(HostId from, HostId to);
  /// Frames that wait at the sender, because the line is narrow or cut.
  std::size_t waiting(Stream& stream) const;
  /// When a frame of this size has left the sender.
  Time departure(Stream& stream, std::size_t size);
  void push(std::uint64_t connection, bool there, Frame frame, bool may_be_faulty);
  void schedule_arrival(std::uint64_t connection, bool there, Frame frame, Time when);
  void arrive(std::uint64_t connection, bool there, Frame frame);
  void deliver(const Connection& connection, bool there, Frame frame);
  void release_held(HostId from, HostId to);

  // Ends of connections.
  void reset(std::uint64_t connection);
  void peer_closed(std::uint64_t connection, bool there);
  void tell_down(const Connection& connection);
  void forget(std::uint64_t connection);
  /// In the order they were made. A copy: what is done to one may end others.
  std::vector<std::uint64_t> connections_between(HostId a, HostId b) const;
  std::vector<std::uint64_t> connections_of(HostId host) const;
  static std::uint64_t pair_of(HostId a, HostId b) {
    return std::uint64_t{std::min(a, b)} << 32 | std::max(a, b);
  }
  void give_up_later(std::uint64_t connection);

  Scheduler& scheduler_;
  Rng rng_;
  const Faults& faults_;
  std::deque<Host> hosts_{};
  std::map<std::string, HostId, std::less<>> names_{};
  // Looked up by every frame, never iterated.
  std::unordered_map<std::uint64_t, Dial> dials_{};
  std::unordered_map<std::uint64_t, Connection> connections_{};
  std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> between_{};  ///< connections by pair_of()
  std::uint64_t last_id_ = 0;
  std::set<std::pair<HostId, HostId>> cuts_{};
  std::map<std::pair<HostId, HostId>, Duration> clogs_{};
  NetworkCounters counters_{};
};

}  // namespace processhub::sim
