// LinkSession: the numbered, acknowledged stream between two incarnations. Sans-IO: frames in, frames out,
// time handed in.
//
// How to use it (a node and a client do the same):
//   LinkSession s(session_id(own nonce, their nonce, own NodeId hash, their NodeId hash), limits);
//   s.send(Lane::control, AdminRequest{...});         // queued; false: the lane's ring is full
//   (back-pressure) s.flush(now, [&](Bytes frame) { out(frame); });   // once per turn: full frames, resends,
//   acknowledgements s.on_frame(now, header, rest, [&](Part part) {...});  // parts in order, each once wake
//   up for flush() again no later than s.next_deadline().
// Frames that were lost (reconnect, full queue) are sent again after `resend_after`, or at once after
// resend_at(). A peer that is only silent gets the first of them again and no more: what it has not read yet
// would pile up behind it.
// How much of a lane is under way follows from how long frames take to be confirmed, so that a large message,
// or a flood of small ones, never stands for long before the other lane's next frame on a narrow line.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "core/protocol/containers.hpp"
#include "core/protocol/frame.hpp"
#include "core/protocol/lane_queue.hpp"
#include "core/protocol/messages.hpp"
#include "processhub/time.hpp"

namespace processhub::protocol {

struct SessionLimits {
  /// Queued and unacknowledged, per lane: so much of long messages, which are cut, and as much of others. A
  /// long one always fits when there is no other.
  std::uint64_t ring_bytes = 64ULL << 20;
  std::uint64_t max_message = 64ULL << 20;   ///< a longer one is refused on both ends
  std::size_t window_frames = 512;           ///< in flight per lane
  std::uint64_t window_bytes = 16ULL << 20;  ///< the same, at most
  /// A frame that is confirmed so much later than the quickest has waited for others: the window shrinks.
  Duration window_delay = std::chrono::milliseconds(150);
  Duration resend_after = std::chrono::milliseconds(200);
  Duration resend_max = std::chrono::seconds(2);
  Duration ack_delay = std::chrono::milliseconds(10);
};

/// How a message is sent, if not as any other.
struct Sending {
  /// What is said to explain why something else was not said may exceed the ring by this much.
  static constexpr std::uint64_t kSpare = 1ULL << 20;
  LaneQueue::Flow flow = LaneQueue::kLast;
  std::uint64_t spare = 0;

  static Sending in_flow(std::uint64_t hash, std::uint64_t spare = 0) {
    return {LaneQueue::flow_of(hash), spare};
  }
};

/// Equal on both sides.
std::uint64_t session_id(std::uint64_t nonce_a, std::uint64_t nonce_b, std::uint64_t node_a,
                         std::uint64_t node_b);

class LinkSession {
 public:
  using Emit = std::function<void(Bytes frame)>;
  using Deliver = std::function<void(const Part& part)>;

  LinkSession(std::uint64_t id, const SessionLimits& limits) : id_(id), limits_(limits) {}

  std::uint64_t id() const { return id_; }

  /// Messages of one flow arrive in order. Those of different flows may overtake each other.
  template <class M>
  bool send(Lane lane, const M& message, Sending how = {}) {
    scratch_.clear();
    Writer w(scratch_);
    put(w, message);
    const bool sent = send_raw(lane, message_kind<M>(), scratch_, how);
    if (scratch_.capacity() > Sending::kSpare) Bytes().swap(scratch_);
    return sent;
  }
  bool send_raw(Lane lane, std::uint16_t kind, std::string_view body, Sending how = {});
  void flush(Time now, const Emit& emit);
  /// False: the frame is malformed; the session should end.
  bool on_frame(Time now, const SessionHeader& header, std::string_view rest, const Deliver& deliver);
  /// The link came up again: everything unacknowledged goes out at `when`.
  void resend_at(Time when);
  /// The link took no frame, its queue is full: sends again soon, and less and less often until the peer
  /// confirms some.
  void refused(Time now);
  Time next_deadline() const;
  /// Since when frames are under way without any of them being acknowledged; kNever: none are.
  Time waiting_since() const { return waiting_since_; }
  /// A frame that only acknowledges.
  Bytes bare_ack() const;
  /// Nothing queued and nothing unacknowledged.
  bool idle() const;
  std::uint64_t queued_bytes(Lane lane) const {
    const auto& out = lanes_[static_cast<int>(lane)];
    return out.bytes + out.long_bytes;
  }
  /// Sent and not confirmed.
  std::uint64_t under_way(Lane lane) const { return lanes_[static_cast<int>(lane)].under_way; }
  std::uint64_t resends() const { return resends_; }
  /// The last sequence given to a frame, and the last one that came in order.
  std::uint64_t sent(Lane lane) const { return lanes_[static_cast<int>(lane)].next_seq - 1; }
  std::uint64_t received(Lane lane) const { return in_[static_cast<int>(lane)].received; }

 private:
  struct Sent {
    std::uint64_t seq = 0;
    Bytes frame{};
    Time when{};
    bool again = false;  ///< its confirmation says nothing about how long it took
  };
  static constexpr std::uint64_t kFirstWindow = 2 * (kFrameTarget + 1024);
  struct Out {
    LaneQueue queue{};  ///< not yet in the window
    Fifo<Sent> unacked{};
    std::uint64_t next_seq = 1;
    std::uint64_t bytes = 0;
    std::uint64_t long_bytes = 0;         ///< of fragments
    std::uint64_t sent_upto = 0;          ///< everything up to here was emitted since the last rewind
    std::uint64_t under_way = 0;          ///< bytes of `unacked`
    std::uint64_t window = kFirstWindow;  ///< what they may be
    Time shrunk{-1'000'000};
    bool window_full = false;
    bool asks = false;    ///< the first of `unacked` was sent again: what follows waits for the answer
    bool doubts = false;  ///< it was answered alone: is the rest late, or lost?
  };
  struct In {
    std::uint64_t received = 0;  ///< delivered in order up to here
    std::map<std::uint64_t, std::pair<std::uint8_t, Bytes>> early{};
    Bytes partial{};
    bool gap = false;
  };

  void on_ack(Time now, Lane lane, std::uint64_t ack, bool gap);
  void learn(Time now, Out& out, const Sent& last, std::uint64_t bytes);
  bool has_room(const Out& out) const;
  void rewind(Time now);
  void resend_all(Time when);
  void send_again(Lane lane, const Emit& emit, bool& sent);
  Duration patience() const;
  void flush_lane(Time now, Lane lane, const Emit& emit, bool& sent);
  void emit_frame(Lane lane, Sent& sent, const Emit& emit);
  SessionHeader header_for(Lane lane, std::uint64_t seq, std::uint8_t flags) const;
  bool take_body(In& in, std::uint8_t flags, std::string_view body, const Deliver& deliver);

  std::uint64_t id_;
  SessionLimits limits_;
  Out lanes_[kLanes];
  In in_[kLanes];
  Bytes scratch_{};
  Time resend_due_ = kNever;
  Duration resend_wait_{};
  bool resend_all_ = false;
  Duration round_trip_{};       ///< smoothed
  Duration quickest_ = kNever;  ///< of this connection
  Time ack_due_ = kNever;
  Time waiting_since_ = kNever;
  Time last_rewind_{-1'000'000};
  Time refused_until_{-1'000'000};
  Duration refused_wait_{};
  std::uint32_t unacked_in_ = 0;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t resends_ = 0;
};

}  // namespace processhub::protocol
