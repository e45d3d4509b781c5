// Values as people write them in a file or on a command line: durations, sizes, numbers, addresses. The error
// of a parser is the part after the key: "expected a duration such as 250ms, 2s or 1m, not '5'".
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "processhub/result.hpp"

namespace processhub::config {

using std::chrono::milliseconds;

std::string trimmed(std::string_view text);

/// An error of the form "expected <what>, not '<text>'".
Error expected(std::string_view what, std::string_view text);

/// A whole number with a unit: 250ms, 2s, 1m, 1h. A number without a unit is an error that names the units.
Result<milliseconds> parse_duration(std::string_view text);
/// In the largest unit that gives a whole number.
std::string format_duration(milliseconds value);

/// Bytes: 65536, or 64KiB, 64MiB, 1GiB.
Result<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);

Result<std::uint64_t> parse_count(std::string_view text, std::uint64_t max);
Result<double> parse_real(std::string_view text);
std::string format_real(double value);
Result<bool> parse_flag(std::string_view text);
/// JSON of any kind as msgpack; bounded in depth.
Result<std::string> parse_json_to_msgpack(std::string_view text);
/// One line of JSON for what parse_json_to_msgpack made; empty for no bytes.
std::string msgpack_to_json(std::string_view bytes);

/// tcp://HOST:PORT, HOST in brackets if it is an IPv6 address.
struct Endpoint {
  std::string host{};
  std::uint16_t port = 0;

  bool is_wildcard() const;
  bool is_loopback() const;
};
Result<Endpoint> parse_endpoint(std::string_view text);

/// The one of `known` that `name` is most likely a slip of; empty if none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& known);
/// "; did you mean 'x'?", or nothing.
std::string suggestion(std::string_view name, const std::vector<std::string>& known);

}  // namespace processhub::config
