#include "tools/zmq-monitor/web_guard.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "tools/hubctl/command_line.hpp"

namespace processhub::monitor {

namespace {

constexpr std::size_t kAddressSize = 16;  // of IPv6; IPv4 needs less

bool is_address(const std::string& host, int family, std::array<unsigned char, kAddressSize>& out) {
  return ::inet_pton(family, host.c_str(), out.data()) == 1;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

/// Without the port and the brackets of IPv6.
std::string host_of(std::string_view text) {
  if (!text.empty() && text.front() == '[') {
    const auto end = text.find(']');
    return end == std::string_view::npos ? std::string() : std::string(text.substr(1, end - 1));
  }
  return lower(text.substr(0, text.find(':')));
}

}  // namespace

Result<ListenAddress> parse_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  ListenAddress out;
  if (colon != std::string_view::npos) out.host = host_of(text.substr(0, colon));
  if (out.host.empty())
    return {ErrorCode::invalid, "--listen: '" + std::string(text) + "' is no HOST:PORT or [IPV6]:PORT"};
  auto port = hubctl::parse_number(text.substr(colon + 1), "--listen: the port", 65'535);
  if (!port) return port.error();
  out.port = static_cast<std::uint16_t>(*port);
  return out;
}

bool is_loopback(std::string_view host) {
  static constexpr std::array<unsigned char, kAddressSize> kOne6 = {0, 0, 0, 0, 0, 0, 0, 0,
                                                                    0, 0, 0, 0, 0, 0, 0, 1};
  const auto name = lower(host);
  std::array<unsigned char, kAddressSize> address{};
  if (is_address(name, AF_INET, address)) return address[0] == 127;
  if (is_address(name, AF_INET6, address)) return address == kOne6;
  return name == "localhost";
}

bool host_allowed(std::string_view header, const std::vector<std::string>& names) {
  const auto host = host_of(header);
  std::array<unsigned char, kAddressSize> address{};
  if (is_address(host, AF_INET, address) || is_address(host, AF_INET6, address)) return true;
  if (host == "localhost") return true;
  return std::any_of(names.begin(), names.end(), [&](const auto& name) { return lower(name) == host; });
}

bool same_secret(std::string_view given, std::string_view secret) {
  if (secret.empty()) return false;
  std::size_t differs = given.size() ^ secret.size();
  for (std::size_t i = 0; i < given.size(); ++i)
    differs |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(secret[i % secret.size()]);
  return differs == 0;
}

std::string cookie(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const auto end = std::min(header.find(';'), header.size());
    auto one = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    if (one.size() > name.size() && one.substr(0, name.size()) == name && one[name.size()] == '=')
      return std::string(one.substr(name.size() + 1));
  }
  return {};
}

}  // namespace processhub::monitor
