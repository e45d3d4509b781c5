// The transport port: what the hub needs of a network. Frames may be lost, repeated, delayed or reordered
// between connections; sessions above repair that. One thread (the loop) calls everything except wake().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

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
  /// Any thread: ends a running or the next poll() early.
  virtual void wake() = 0;
  virtual void close() = 0;
};

}  // namespace processhub
