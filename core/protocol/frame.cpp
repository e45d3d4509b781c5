#include "core/protocol/frame.hpp"

#include "core/protocol/little_endian.hpp"

namespace processhub::protocol {

void put_preamble(Bytes& out, FrameType type) {
  const char p[kPreambleSize] = {'P', 'H', static_cast<char>(kProtocolVersion), static_cast<char>(type)};
  out.append(p, kPreambleSize);
}

void put_u64(Bytes& out, std::uint64_t v) {
  char b[8];
  store_le(b, v);
  out.append(b, 8);
}

void put_part_header(Bytes& out, std::uint16_t kind, std::uint32_t size) {
  char b[kPartHeaderSize];
  store_le(b, kind);
  store_le(b + 2, size);
  out.append(b, kPartHeaderSize);
}

void write_session_header(char* at, const SessionHeader& h) {
  at[0] = 'P';
  at[1] = 'H';
  at[2] = static_cast<char>(kProtocolVersion);
  at[3] = static_cast<char>(FrameType::session);
  store_le(at + 4, h.session);
  at[12] = static_cast<char>(h.lane);
  at[13] = static_cast<char>(h.flags);
  store_le(at + 14, h.seq);
  store_le(at + 22, h.ack[0]);
  store_le(at + 30, h.ack[1]);
}

void append_session_header(Bytes& out, const SessionHeader& h) {
  char b[kSessionHeaderSize];
  write_session_header(b, h);
  out.append(b, kSessionHeaderSize);
}

void append_publish_header(Bytes& out, const PublishHeader& h) {
  put_preamble(out, FrameType::publish);
  put_u64(out, h.hub);
  put_u64(out, h.node);
  put_u64(out, h.seq);
}

std::optional<FrameType> take_preamble(std::string_view& in) {
  if (in.size() < kPreambleSize || in[0] != 'P' || in[1] != 'H') return std::nullopt;
  if (static_cast<std::uint8_t>(in[2]) != kProtocolVersion) return std::nullopt;
  auto type = static_cast<std::uint8_t>(in[3]);
  if (type < 1 || type > 5) return std::nullopt;
  in.remove_prefix(kPreambleSize);
  return static_cast<FrameType>(type);
}

std::optional<std::uint64_t> take_u64(std::string_view& in) {
  if (in.size() < 8) return std::nullopt;
  auto v = load_le<std::uint64_t>(in.data());
  in.remove_prefix(8);
  return v;
}

std::optional<SessionHeader> take_session_header(std::string_view& in) {
  constexpr std::size_t kSize = kSessionHeaderSize - kPreambleSize;
  if (in.size() < kSize || static_cast<std::uint8_t>(in[8]) >= kLanes) return std::nullopt;
  SessionHeader h;
  h.session = load_le<std::uint64_t>(in.data());
  h.lane = static_cast<Lane>(in[8]);
  h.flags = static_cast<std::uint8_t>(in[9]);
  h.seq = load_le<std::uint64_t>(in.data() + 10);
  h.ack[0] = load_le<std::uint64_t>(in.data() + 18);
  h.ack[1] = load_le<std::uint64_t>(in.data() + 26);
  in.remove_prefix(kSize);
  return h;
}

std::optional<PublishHeader> take_publish_header(std::string_view& in) {
  if (in.size() < 24) return std::nullopt;
  PublishHeader h{load_le<std::uint64_t>(in.data()), load_le<std::uint64_t>(in.data() + 8),
                  load_le<std::uint64_t>(in.data() + 16)};
  in.remove_prefix(24);
  return h;
}

std::optional<Part> take_part(std::string_view& in) {
  if (in.size() < kPartHeaderSize) return std::nullopt;
  Part p;
  p.kind = load_le<std::uint16_t>(in.data());
  auto size = load_le<std::uint32_t>(in.data() + 2);
  if (size > in.size() - kPartHeaderSize) return std::nullopt;
  p.body = in.substr(kPartHeaderSize, size);
  in.remove_prefix(kPartHeaderSize + size);
  return p;
}

}  // namespace processhub::protocol
