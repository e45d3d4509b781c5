// The wire messages by which members keep their leases and agree on who is counted for a quorum.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/protocol/codec.hpp"
#include "core/protocol/roll.hpp"
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
  std::uint64_t root = 0;   ///< of its roll
  std::uint64_t epoch = 0;
  PROCESSHUB_FIELDS(sent, seats, root, epoch)
};

struct QuorumReply {
  static constexpr std::string_view name = "quorum_reply";
  Time sent{};  ///< of the probe
  std::uint64_t seats = 0;
  std::vector<NodeId> out_of_reach{};  ///< lost lives that may still run what they ran
  std::uint32_t losses = 0;            ///< how often the sender has lost this life of the receiver
  std::uint64_t root = 0;              ///< of its roll
  std::uint64_t epoch = 0;
  PROCESSHUB_FIELDS(sent, seats, out_of_reach, losses, root, epoch)
};

struct SeatList {
  static constexpr std::string_view name = "seat_list";
  std::vector<Seat> seats{};
  PROCESSHUB_FIELDS(seats)
};

/// Who is counted where the voters decide that.
struct RollNews {
  static constexpr std::string_view name = "roll_news";
  Roll roll{};
  bool held = false;  ///< the sender has a quorum of it
  PROCESSHUB_FIELDS(roll, held)
};

struct SeatPrepare {
  static constexpr std::string_view name = "seat_prepare";
  std::uint64_t roll = 0;  ///< key of the roll that is to be followed
  SeatBallot ballot{};
  PROCESSHUB_FIELDS(roll, ballot)
};

/// Promised another ballot than the one asked for: no.
struct SeatPromise {
  static constexpr std::string_view name = "seat_promise";
  std::uint64_t roll = 0;
  VoterState said{};
  PROCESSHUB_FIELDS(roll, said)
};

struct SeatAccept {
  static constexpr std::string_view name = "seat_accept";
  std::uint64_t roll = 0;
  SeatBallot ballot{};
  SeatChange change{};
  PROCESSHUB_FIELDS(roll, ballot, change)
};

struct SeatAccepted {
  static constexpr std::string_view name = "seat_accepted";
  std::uint64_t roll = 0;
  SeatBallot ballot{};
  PROCESSHUB_FIELDS(roll, ballot)
};

using SeatMessage = std::variant<SeatPrepare, SeatPromise, SeatAccept, SeatAccepted>;

}  // namespace processhub::protocol
