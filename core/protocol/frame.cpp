#include "core/protocol/frame.hpp"

namespace processhub::protocol {

namespace {

void store(char* at, std::uint64_t v, int bytes) {
  for (int i = 0; i < bytes; ++i) at[i] = static_cast<char>(v >> (8 * i));
}

std::uint64_t load(const char* at, int bytes) {
  std::uint64_t v = 0;
  for (int i = bytes - 1; i >= 0; --i) v = v << 8 | static_cast<std::uint8_t>(at[i]);
  return v;
}

}  // namespace

void put_preamble(Bytes& out, FrameType type) {
  const char p[kPreambleSize] = {'P', 'H', static_cast<char>(kProtocolVersion), static_cast<char>(type)};
  out.append(p, kPreambleSize);
}

void put_u64(Bytes& out, std::uint64_t v) {
  char b[8];
  store(b, v, 8);
  out.append(b, 8);
}

void put_part_header(Bytes& out, std::uint16_t kind, std::uint32_t size) {
  char b[kPartHeaderSize];
  store(b, kind, 2);
  store(b + 2, size, 4);
  out.append(b, kPartHeaderSize);
}

void write_session_header(char* at, const SessionHeader& h) {
  at[0] = 'P';
  at[1] = 'H';
  at[2] = static_cast<char>(kProtocolVersion);
  at[3] = static_cast<char>(FrameType::session);
  store(at + 4, h.session, 8);
  at[12] = static_cast<char>(h.lane);
  at[13] = static_cast<char>(h.flags);
  store(at + 14, h.seq, 8);
  store(at + 22, h.ack[0], 8);
  store(at + 30, h.ack[1], 8);
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
  auto v = load(in.data(), 8);
  in.remove_prefix(8);
  return v;
}

std::optional<SessionHeader> take_session_header(std::string_view& in) {
  constexpr std::size_t kSize = kSessionHeaderSize - kPreambleSize;
  if (in.size() < kSize || static_cast<std::uint8_t>(in[8]) >= kLanes) return std::nullopt;
  SessionHeader h;
  h.session = load(in.data(), 8);
  h.lane = static_cast<Lane>(in[8]);
  h.flags = static_cast<std::uint8_t>(in[9]);
  h.seq = load(in.data() + 10, 8);
  h.ack[0] = load(in.data() + 18, 8);
  h.ack[1] = load(in.data() + 26, 8);
  in.remove_prefix(kSize);
  return h;
}

std::optional<PublishHeader> take_publish_header(std::string_view& in) {
  if (in.size() < 24) return std::nullopt;
  PublishHeader h{load(in.data(), 8), load(in.data() + 8, 8), load(in.data() + 16, 8)};
  in.remove_prefix(24);
  return h;
}

std::optional<Part> take_part(std::string_view& in) {
  if (in.size() < kPartHeaderSize) return std::nullopt;
  Part p;
  p.kind = static_cast<std::uint16_t>(load(in.data(), 2));
  auto size = load(in.data() + 2, 4);
  if (size > in.size() - kPartHeaderSize) return std::nullopt;
  p.body = in.substr(kPartHeaderSize, size);
  in.remove_prefix(kPartHeaderSize + size);
  return p;
}

}  // namespace processhub::protocol
