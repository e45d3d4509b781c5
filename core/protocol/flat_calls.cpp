// Calls and replies on the wire (little-endian). The first byte is the length of the fixed header, so that a
// later version may make it longer: a reader skips what it does not know.
//
//   call    header(1) flags(1) hops(1) origin name size(1) id size(4) message size(4) token(8) timeout µs(8)
//           [trace id(16) span(8) flags(1)] [origin incarnation(8) origin name] id message body
//   reply   header(1) code(1) token(8) [incarnation(8) and name of the node that runs the child] body
//
// The trace is within the header, and there if flag 4 says so. The origin is named only in a call that
// another node forwards; else it is the sender.
#include <algorithm>
#include <cstring>

#include "core/protocol/little_endian.hpp"
#include "core/protocol/messages.hpp"

namespace processhub::protocol::detail {

namespace {

constexpr std::size_t kCallHeader = 28;
constexpr std::size_t kReplyHeader = 10;
constexpr std::uint8_t kNamedReply = 1;
constexpr std::uint8_t kFlush = 2;
constexpr std::uint8_t kTraced = 4;
constexpr std::size_t kTrace = 25;
constexpr std::size_t kMaxNodeName = 255;
constexpr std::size_t kMaxPlaceName = 200;  // within the header, whose length is one byte

/// The fixed header with its length byte; empty (and the reader bad) if it is shorter than this version's.
std::string_view take_header(Reader& r, std::size_t least) {
  const auto first = r.raw(1);
  const std::size_t size = first.empty() ? 0 : static_cast<unsigned char>(first.front());
  if (size < least) {
    r.fail();
    return {};
  }
  r.raw(size - 1);
  return r.bad() ? std::string_view() : std::string_view(first.data(), size);
}

void store_trace(char* at, const Trace& trace) {
  std::memcpy(at, trace.id.data(), trace.id.size());
  std::memcpy(at + trace.id.size(), trace.span.data(), trace.span.size());
  at[kTrace - 1] = static_cast<char>(trace.flags);
}

TracePtr load_trace(const char* at) {
  auto trace = std::make_shared<Trace>();
  std::memcpy(trace->id.data(), at, trace->id.size());
  std::memcpy(trace->span.data(), at + trace->id.size(), trace->span.size());
  trace->flags = static_cast<std::uint8_t>(at[kTrace - 1]);
  return *trace ? trace : nullptr;
}

}  // namespace

void Codec<CallRequest>::put(Writer& w, const CallRequest& v) {
  const auto origin = v.origin.name().substr(0, kMaxNodeName);
  const auto size = kCallHeader + (v.trace ? kTrace : 0);
  char header[kCallHeader + kTrace + 8];
  header[0] = static_cast<char>(size);
  header[1] =
      static_cast<char>((v.named_reply ? kNamedReply : 0) | (v.flush ? kFlush : 0) | (v.trace ? kTraced : 0));
  header[2] = static_cast<char>(std::min<std::uint32_t>(v.hops, 255));
  header[3] = static_cast<char>(origin.size());
  store_le(header + 4, static_cast<std::uint32_t>(v.id.size()));
  store_le(header + 8, static_cast<std::uint32_t>(v.message.size()));
  store_le(header + 12, v.token);
  store_le(header + 20, static_cast<std::uint64_t>(std::max(v.timeout.count(), Duration::rep{0})));
  if (v.trace) store_trace(header + kCallHeader, *v.trace);
  store_le(header + size, v.origin.incarnation());
  w.raw({header, v.origin ? size + 8 : size});
  if (v.origin) w.raw(origin);
  w.raw(v.id);
  w.raw(v.message);
  w.raw(v.body);
}

void Codec<CallRequest>::get(Reader& r, CallRequest& v) {
  const auto header = take_header(r, kCallHeader);
  if (header.empty()) return;
  const char* at = header.data();
  v.named_reply = (static_cast<unsigned char>(at[1]) & kNamedReply) != 0;
  v.flush = (static_cast<unsigned char>(at[1]) & kFlush) != 0;
  v.hops = static_cast<unsigned char>(at[2]);
  const auto id_size = load_le<std::uint32_t>(at + 4);
  const auto message_size = load_le<std::uint32_t>(at + 8);
  v.token = load_le<std::uint64_t>(at + 12);
  const auto timeout = load_le<std::uint64_t>(at + 20);
  if (timeout > static_cast<std::uint64_t>(Duration::max().count())) return r.fail();
  v.timeout = Duration(static_cast<Duration::rep>(timeout));
  const bool traced = (static_cast<unsigned char>(at[1]) & kTraced) != 0;
  if (traced && header.size() < kCallHeader + kTrace) return r.fail();
  if (traced) v.trace = load_trace(at + kCallHeader);
  if (const std::size_t name_size = static_cast<unsigned char>(at[3]); name_size > 0) {
    const auto incarnation = r.raw(8);
    const auto name = r.raw(name_size);
    if (r.bad()) return;
    v.origin = NodeId::of(name, load_le<std::uint64_t>(incarnation.data()));
  }
  v.id.assign(r.raw(id_size));
  v.message.assign(r.raw(message_size));
  v.body.assign(r.rest());
}

void Codec<CallReply>::put(Writer& w, const CallReply& v) {
  const auto at = v.at.name().size() <= kMaxPlaceName ? v.at.name() : std::string_view();
  char header[kReplyHeader + 8];
  header[0] = static_cast<char>(at.empty() ? kReplyHeader : sizeof header + at.size());
  header[1] = static_cast<char>(v.code);
  store_le(header + 2, v.token);
  store_le(header + kReplyHeader, v.at.incarnation());
  w.raw({header, at.empty() ? kReplyHeader : sizeof header});
  w.raw(at);
  w.raw(v.body);
}

void Codec<CallReply>::get(Reader& r, CallReply& v) {
  const auto header = take_header(r, kReplyHeader);
  if (header.empty()) return;
  v.code = static_cast<ErrorCode>(static_cast<unsigned char>(header[1]));
  v.token = load_le<std::uint64_t>(header.data() + 2);
  if (header.size() > kReplyHeader + 8)
    v.at = NodeId::of(header.substr(kReplyHeader + 8), load_le<std::uint64_t>(header.data() + kReplyHeader));
  v.body.assign(r.rest());
}

}  // namespace processhub::protocol::detail
