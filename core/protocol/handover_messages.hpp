// The messages of a child that moves with its state (handover.hpp). `attempt` names one try of its source.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/protocol/codec.hpp"
#include "processhub/ids.hpp"

namespace processhub::protocol {

/// A piece of the state. With the last one the target has all of it.
struct HandoverState {
  static constexpr std::string_view name = "handover_state";
  Uid uid{};
  std::uint64_t attempt = 0;
  bool has_state = false;
  std::uint64_t total = 0;
  std::uint64_t offset = 0;
  Bytes piece{};
  bool merge = false;  ///< of an instance that lost against the receiver's, and was of this generation
  std::uint64_t epoch = 0;
  std::uint32_t restarts = 0;
  PROCESSHUB_FIELDS(uid, attempt, has_state, total, offset, piece, merge, epoch, restarts)
};

/// The worker is built and has the state; it waits to be told to run, under this epoch. Or it has merged it.
struct HandoverReady {
  static constexpr std::string_view name = "handover_ready";
  Uid uid{};
  std::uint64_t attempt = 0;
  std::uint64_t epoch = 0;
  PROCESSHUB_FIELDS(uid, attempt, epoch)
};

/// Run. Whatever waited for the child at its source was sent before, in the same flow.
struct HandoverCommit {
  static constexpr std::string_view name = "handover_commit";
  Uid uid{};
  std::uint64_t attempt = 0;
  PROCESSHUB_FIELDS(uid, attempt)
};

/// From the source: the child goes on there. From the target: it cannot take it.
struct HandoverAbort {
  static constexpr std::string_view name = "handover_abort";
  Uid uid{};
  std::uint64_t attempt = 0;
  std::string why{};
  PROCESSHUB_FIELDS(uid, attempt, why)
};

}  // namespace processhub::protocol
