// tcp://HOST:PORT, checked before ZeroMQ or the operating system sees it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "processhub/result.hpp"

namespace processhub::zmq_detail {

struct TcpAddress {
  std::string host{};  ///< "localhost" is stored as 127.0.0.1
  std::uint16_t port = 0;

  std::string str() const { return "tcp://" + host + ":" + std::to_string(port); }
};

/// An address to listen on: port 0 and the wildcard * are allowed.
Result<TcpAddress> parse_bind_address(std::string_view text);
/// An address of a peer.
Result<TcpAddress> parse_peer_address(std::string_view text);

/// In network byte order; nothing if `host` is a name.
std::optional<std::uint32_t> numeric_ipv4(const std::string& host);
bool is_loopback(const std::string& host);

}  // namespace processhub::zmq_detail
