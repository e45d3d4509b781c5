// LaneQueue: what waits in one lane of a session, as frames. Messages of one flow keep their order; flows
// take turns, frame by frame, so that a flood to one child, or a message of 64 MiB, does not stand before
// those to others. The frames of a long message have others between them, but none of another long message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/protocol/containers.hpp"
#include "core/protocol/frame.hpp"

namespace processhub::protocol {

class LaneQueue {
 public:
  using Flow = std::uint8_t;
  static constexpr Flow kFlows = 63;
  /// In order with everything: goes when no flow has anything left.
  static constexpr Flow kLast = kFlows;
  static Flow flow_of(std::uint64_t hash) { return static_cast<Flow>(hash % kFlows); }

  /// `body` may be of any length.
  void push(Flow flow, std::uint16_t kind, std::string_view body);
  bool empty() const { return waiting_ == 0; }
  /// The next frame: room for a session header whose flags are set, then parts or a piece of one. Not if
  /// empty.
  Bytes take();

  static bool is_fragment(const Bytes& frame);
  /// Longer parts are cut.
  static bool is_long(std::string_view body) { return body.size() + kPartHeaderSize > kFrameTarget; }

 private:
  using Frames = Fifo<Bytes>;
  static constexpr Flow kNone = 0xFF;

  Frames& frames(Flow flow) { return flow == kLast ? last_ : flows_[flow]; }
  static void push_long(Frames& frames, std::uint16_t kind, std::string_view body);
  bool may_go(Flow flow);
  Flow next();
  Bytes take_from(Flow flow);
  void fill_up(Bytes& frame);

  Frames last_{};
  std::vector<Frames> flows_{};  ///< none until a flow is used
  std::uint64_t waiting_ = 0;    ///< a bit for each flow that has frames
  Flow turn_ = 0;                ///< the flow to be looked at first
  Flow long_ = kNone;            ///< whose long message has begun
};

}  // namespace processhub::protocol
