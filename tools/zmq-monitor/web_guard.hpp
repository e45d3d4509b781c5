// Who may read the page: the address it listens on, the names it may be called by, and the token. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <processhub/result.hpp>

namespace processhub::monitor {

struct ListenAddress {
  std::string host{};  ///< an address or a name, without brackets
  std::uint16_t port = 0;
};

/// "127.0.0.1:8080", "[::1]:8080", "localhost:0"; the port 0 takes a free one. Errors: invalid.
Result<ListenAddress> parse_listen(std::string_view text);

/// Whether nobody but this machine reaches what listens there.
bool is_loopback(std::string_view host);

/// Whether a request with this Host header was meant for us. A page of somebody else can make a browser take
/// its name for our address (DNS rebinding), but then the header has that name: addresses, localhost and
/// `names` are let in.
bool host_allowed(std::string_view header, const std::vector<std::string>& names);

/// Compares all of it, so that the time taken does not tell how much was right.
bool same_secret(std::string_view given, std::string_view secret);

/// The value of a cookie; empty if there is none.
std::string cookie(std::string_view header, std::string_view name);

}  // namespace processhub::monitor
