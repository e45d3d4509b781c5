#include "transport/zmq/tcp_address.hpp"

#include <arpa/inet.h>

#include <charconv>

namespace processhub::zmq_detail {
namespace {

constexpr std::string_view kScheme = "tcp://";

Error bad(std::string_view text, std::string_view why) {
  return {ErrorCode::invalid, "'" + std::string(text) + "' is no address: " + std::string(why)};
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
         c == '_';
}

Result<TcpAddress> parse(std::string_view text) {
  if (!text.starts_with(kScheme)) return bad(text, "it must have the form tcp://HOST:PORT");
  const std::string_view rest = text.substr(kScheme.size());
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos) return bad(text, "the port is missing");
  const std::string_view host = rest.substr(0, colon);
  const std::string_view port = rest.substr(colon + 1);
  if (host.empty()) return bad(text, "the host is missing");
  if (host.front() == '[') return bad(text, "only IPv4 and host names are supported");
  if (host != "*") {
    for (const char c : host) {
      if (!is_host_character(c)) return bad(text, "the host has characters that no host name has");
    }
  }
  TcpAddress address{.host = host == "localhost" ? "127.0.0.1" : std::string(host)};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size())
    return bad(text, "the port must be 0 to 65535");
  return address;
}

}  // namespace

Result<TcpAddress> parse_bind_address(std::string_view text) { return parse(text); }

Result<TcpAddress> parse_peer_address(std::string_view text) {
  auto address = parse(text);
  if (!address) return address;
  if (address->port == 0) return bad(text, "a peer has no port 0");
  if (address->host == "*" || address->host == "0.0.0.0") return bad(text, "a wildcard names no peer");
  return address;
}

std::optional<std::uint32_t> numeric_ipv4(const std::string& host) {
  in_addr address{};
  if (inet_pton(AF_INET, host.c_str(), &address) != 1) return std::nullopt;
  return address.s_addr;
}

bool is_loopback(const std::string& host) {
  const auto address = numeric_ipv4(host);
  return address && (ntohl(*address) >> 24) == 127;
}

}  // namespace processhub::zmq_detail
