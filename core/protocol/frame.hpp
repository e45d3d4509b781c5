// Frames: the flat, versioned envelope around everything on the wire (little-endian).
//
//   all        'P' 'H' version(1) type(1)
//   hello      + msgpack Hello            refusal + msgpack Refusal        (no session)
//   reset      + session(8)               the sender does not know this session (any more)
//   session    + session(8) lane(1) flags(1) seq(8) ack_control(8) ack_data(8), then parts
//   publish    + hub(8) node(8) seq(8), then parts
//
// A part is kind(2) length(4) body. In a fragment frame (flag) the rest of the frame is a piece of one long
// part. seq 0 marks a frame that only acknowledges.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "processhub/payload.hpp"

namespace processhub::protocol {

inline constexpr std::uint8_t kProtocolVersion = 1;
inline constexpr std::size_t kFrameTarget = 64 * 1024;  ///< frames are closed at this size

enum class FrameType : std::uint8_t { hello = 1, refusal = 2, reset = 3, session = 4, publish = 5 };

enum class Lane : std::uint8_t { control = 0, data = 1 };
inline constexpr int kLanes = 2;

inline constexpr std::uint8_t kFlagFragment = 1;      ///< a piece of a long part; more follow
inline constexpr std::uint8_t kFlagLastFragment = 2;  ///< with kFlagFragment: the last piece
inline constexpr std::uint8_t kFlagGap = 4;           ///< the sender of this acknowledgement misses frames

struct SessionHeader {
  std::uint64_t session = 0;
  Lane lane = Lane::control;
  std::uint8_t flags = 0;
  std::uint64_t seq = 0;
  std::uint64_t ack[kLanes] = {0, 0};
};

struct PublishHeader {
  std::uint64_t hub = 0;   ///< hash of the hub id
  std::uint64_t node = 0;  ///< NodeId::hash of the publisher
  std::uint64_t seq = 0;
};

inline constexpr std::size_t kPreambleSize = 4;
inline constexpr std::size_t kSessionHeaderSize = kPreambleSize + 8 + 1 + 1 + 8 + 8 + 8;
inline constexpr std::size_t kSessionFlagsAt = kPreambleSize + 8 + 1;
inline constexpr std::size_t kPublishHeaderSize = kPreambleSize + 24;
inline constexpr std::size_t kPartHeaderSize = 6;

void put_preamble(Bytes& out, FrameType type);
void put_u64(Bytes& out, std::uint64_t v);
void put_part_header(Bytes& out, std::uint16_t kind, std::uint32_t size);
/// Overwrites what is in place, so that headers can be completed when a frame leaves.
void write_session_header(char* at, const SessionHeader& h);
void append_session_header(Bytes& out, const SessionHeader& h);
void append_publish_header(Bytes& out, const PublishHeader& h);

/// Nothing if it is no frame of ours or of another major version. Removes the preamble.
std::optional<FrameType> take_preamble(std::string_view& in);
std::optional<std::uint64_t> take_u64(std::string_view& in);
std::optional<SessionHeader> take_session_header(std::string_view& in);
std::optional<PublishHeader> take_publish_header(std::string_view& in);

struct Part {
  std::uint16_t kind = 0;
  std::string_view body{};
};
std::optional<Part> take_part(std::string_view& in);

}  // namespace processhub::protocol
