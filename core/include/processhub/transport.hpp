// The transport port: what the hub needs of a network. Frames may be lost, repeated, delayed or reordered
// between connections; sessions above repair that. One thread (the loop) calls everything except wake().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "processhub/export.hpp"
#include "processhub/result.hpp"

namespace processhub {

/// An outgoing connection to one peer's ROUTER; numbered by the core.
using LinkId = std::uint64_t;
/// An incoming connection on our ROUTER; numbered by the transport, valid until the peer disconnects.
using RouteId = std::uint64_t;

enum class SendStatus : std::uint8_t {
  ok,
  full,        ///< the queue to that peer is full (EAGAIN): keep it, try later
  unroutable,  ///< nobody is connected there (EHOSTUNREACH)
};

/// Told what arrives, during poll().
class TransportEvents {
 public:
  virtual ~TransportEvents() = default;
  virtual void on_link_frame(LinkId link,
                             std::string_view frame) = 0;  ///< an answer on an outgoing connection
  virtual void on_route_frame(RouteId route, std::string_view frame) = 0;  ///< a frame at our ROUTER
  virtual void on_publication(std::string_view frame) = 0;
  virtual void on_link_up(LinkId link) = 0;
  /// `refused`: the peer's address answered and nobody listens there.
  virtual void on_link_down(LinkId link, bool refused) = 0;
};

struct BoundAddresses {
  std::string router{};  ///< tcp://host:port as bound, port filled in
  std::string publisher{};
};

/// What became of one connection, for tools. Counts are since it was asked for.
struct ConnectionInfo {
  enum class Kind : std::uint8_t {
    link,          ///< to a peer's ROUTER
    subscription,  ///< to a peer's PUB
    incoming,      ///< all that came to one of our own addresses
    subscriber,    ///< one that reads what we publish
  };
  Kind kind = Kind::link;
  LinkId link = 0;         ///< of a link
  std::string endpoint{};  ///< the peer's; of `incoming` our own
  bool up = false;
  std::uint64_t connected = 0;  ///< times it came up
  std::uint64_t retried = 0;    ///< attempts after one that failed or a connection that broke
  std::uint64_t lost = 0;       ///< times it broke after it was up
  std::uint64_t failed = 0;     ///< handshakes that went wrong: another protocol, a refused key
  std::string problem{};        ///< the newest of these, in words
  std::chrono::milliseconds problem_age{};
  std::uint64_t unread = 0;     ///< of a subscriber: bytes on their way that its machine has not taken
  std::uint64_t confirmed = 0;  ///< of a subscriber: bytes that its machine has taken, ever
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual Result<BoundAddresses> bind(const std::string& router, const std::string& publisher) = 0;
  virtual void connect(LinkId link, const std::string& router_endpoint) = 0;
  virtual void disconnect(LinkId link) = 0;
  virtual void subscribe(const std::string& pub_endpoint) = 0;
  virtual void unsubscribe(const std::string& pub_endpoint) = 0;
  virtual SendStatus send(LinkId link, std::string_view frame) = 0;
  virtual SendStatus reply(RouteId route, std::string_view frame) = 0;
  virtual SendStatus publish(std::string_view frame) = 0;
  /// Waits for traffic, wake() or the timeout (zero: only looks), then reports at most `budget` frames and
  /// the link changes. Returns true if more is waiting.
  virtual bool poll(std::chrono::microseconds timeout, TransportEvents& events, int budget) = 0;
  /// All connections there are. Empty where there is nothing to tell.
  virtual std::vector<ConnectionInfo> connections() const { return {}; }
  /// Any thread: ends a running or the next poll() early.
  virtual void wake() = 0;
  virtual void close() = 0;
};

}  // namespace processhub
