// The wire messages by which members keep their leases and agree on who is counted for a quorum.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/codec.hpp"
#include "processhub/ids.hpp"
#include "processhub/time.hpp"

namespace processhub::protocol {

/// Whether a name is counted for the quorum; the highest version wins.
struct Seat {
  std::string name{};
  std::uint64_t version = 0;
  bool in = false;
  PROCESSHUB_FIELDS(name, version, in)
};

/// Only whom the receiver holds as up gets an answer.
struct QuorumProbe {
  static constexpr std::string_view name = "quorum_probe";
  Time sent{};              ///< by the sender's clock
  std::uint64_t seats = 0;  ///< digest of those it knows
  PROCESSHUB_FIELDS(sent, seats)
};

struct QuorumReply {
  static constexpr std::string_view name = "quorum_reply";
  Time sent{};  ///< of the probe
  std::uint64_t seats = 0;
  std::vector<NodeId> out_of_reach{};  ///< lost lives that may still run what they ran
  std::uint32_t losses = 0;            ///< how often the sender has lost this life of the receiver
  PROCESSHUB_FIELDS(sent, seats, out_of_reach, losses)
};

struct SeatList {
  static constexpr std::string_view name = "seat_list";
  std::vector<Seat> seats{};
  PROCESSHUB_FIELDS(seats)
};

}  // namespace processhub::protocol
