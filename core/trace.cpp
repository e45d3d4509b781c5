#include "processhub/trace.hpp"

#include <random>

namespace processhub {

namespace {

thread_local Trace present{};

/// SplitMix64 from a seed of the system: unlike others, not secret.
std::uint64_t random_number() {
  thread_local std::uint64_t state = [] {
    std::random_device device;
    return (std::uint64_t{device()} << 32U) ^ device();
  }();
  std::uint64_t z = (state += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

template <std::size_t N>
void fill(std::array<std::uint8_t, N>& out) {
  while (out == std::array<std::uint8_t, N>{}) {  // all zero means none
    for (std::size_t at = 0; at < N; at += 8) {
      const auto number = random_number();
      for (std::size_t i = 0; i < 8; ++i) out[at + i] = static_cast<std::uint8_t>(number >> (8 * i));
    }
  }
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// False if these are no hex digits, in lower case as the standard wants them.
bool read_hex(std::string_view text, std::uint8_t* out) {
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    out[i / 2] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

template <std::size_t N>
void write_hex(std::string& out, const std::array<std::uint8_t, N>& bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  for (const auto byte : bytes) out.append({kDigits[byte >> 4U], kDigits[byte & 15U]});
}

}  // namespace

Trace Trace::start() {
  Trace out;
  fill(out.id);
  fill(out.span);
  return out;
}

Trace Trace::next() const {
  Trace out = *this;
  out.span = {};
  fill(out.span);
  return out;
}

Result<Trace> Trace::parse(std::string_view text) {
  constexpr std::size_t kLength = 55;
  const Error bad{ErrorCode::invalid, "'" + std::string(text.substr(0, 80)) + "' is no traceparent"};
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  Trace out;
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return bad;
  if (!read_hex(text.substr(0, 2), version.data()) || version[0] == 0xff) return bad;
  if (text.size() > kLength && (version[0] == 0 || text[kLength] != '-')) return bad;
  if (!read_hex(text.substr(3, 32), out.id.data()) || !read_hex(text.substr(36, 16), out.span.data()) ||
      !read_hex(text.substr(53, 2), flags.data()))
    return bad;
  if (!out || out.span == std::array<std::uint8_t, 8>{}) return bad;
  out.flags = flags[0];
  return out;
}

std::string Trace::str() const {
  std::string out;
  if (!*this) return out;
  out = "00-";
  write_hex(out, id);
  out += '-';
  write_hex(out, span);
  out += '-';
  write_hex(out, std::array<std::uint8_t, 1>{flags});
  return out;
}

const Trace& present_trace() { return present; }

TraceScope::TraceScope(const Trace& trace) : before_(present) { present = trace; }
TraceScope::~TraceScope() { present = before_; }

}  // namespace processhub
