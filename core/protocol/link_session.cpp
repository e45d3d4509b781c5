#include "core/protocol/link_session.hpp"

#include <algorithm>
#include <utility>

#include "core/protocol/mutation.hpp"

namespace processhub::protocol {

namespace {

constexpr std::uint32_t kAckEvery = 32;  // frames received before an acknowledgement does not wait
constexpr std::size_t kAckBytes = 2 * kFrameTarget;  // the same in bytes: what a sender has room for at first
constexpr std::size_t kMaxEarly = 256;               // frames kept that came before their turn
constexpr Duration kRewindPause = std::chrono::milliseconds(20);
constexpr Duration kRefusedFirst = std::chrono::milliseconds(5);
constexpr Duration kRefusedMax = std::chrono::milliseconds(320);

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t x = a * 0x9E3779B97F4A7C15ULL ^ (b + 0xD6E8FEB86659FD93ULL + (a << 6) + (a >> 2));
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93ULL;
  return x ^ (x >> 29);
}

}  // namespace

std::uint64_t session_id(std::uint64_t nonce_a, std::uint64_t nonce_b, std::uint64_t node_a,
                         std::uint64_t node_b) {
  if (node_b < node_a || (node_a == node_b && nonce_b < nonce_a)) {
    std::swap(node_a, node_b);
    std::swap(nonce_a, nonce_b);
  }
  return mix(mix(mix(nonce_a, nonce_b), node_a), node_b) | 1;
}

bool LinkSession::send_raw(Lane lane, std::uint16_t kind, std::string_view body, Sending how) {
  auto& out = lanes_[static_cast<int>(lane)];
  if (body.size() > limits_.max_message) return false;
  const auto room = limits_.ring_bytes + how.spare;
  const bool is_long = LaneQueue::is_long(body);
  if (is_long ? out.long_bytes >= room : out.bytes + body.size() > room) return false;
  (is_long ? out.long_bytes : out.bytes) += body.size() + kPartHeaderSize;
  out.queue.push(how.flow, kind, body);
  return true;
}

SessionHeader LinkSession::header_for(Lane lane, std::uint64_t seq, std::uint8_t flags) const {
  SessionHeader h{id_, lane, flags, seq, {in_[0].received, in_[1].received}};
  if (in_[0].gap || in_[1].gap) h.flags |= kFlagGap;
  return h;
}

void LinkSession::emit_frame(Lane lane, Sent& sent, const Emit& emit) {
  auto flags = static_cast<std::uint8_t>(sent.frame[kSessionFlagsAt] & ~kFlagGap);
  write_session_header(sent.frame.data(), header_for(lane, sent.seq, flags));
  emit(sent.frame);
}

/// One frame may always be under way, however long it takes.
bool LinkSession::has_room(const Out& out) const {
  if (out.unacked.empty()) return true;
  return out.unacked.size() < limits_.window_frames &&
         out.under_way + kFrameTarget + kSessionHeaderSize <= std::min(out.window, limits_.window_bytes);
}

Duration LinkSession::patience() const {
  return std::clamp(round_trip_ * 2, limits_.resend_after,
                    std::max(limits_.resend_after, limits_.resend_max));
}

void LinkSession::send_again(Lane lane, const Emit& emit, bool& sent) {
  auto& out = lanes_[static_cast<int>(lane)];
  for (auto& s : out.unacked) {
    if (s.seq <= out.sent_upto) continue;
    s.again = true;
    emit_frame(lane, s, emit);
    out.sent_upto = out.asks ? out.unacked.back().seq : s.seq;
    ++resends_;
    sent = true;
  }
}

void LinkSession::flush_lane(Time now, Lane lane, const Emit& emit, bool& sent) {
  auto& out = lanes_[static_cast<int>(lane)];
  send_again(lane, emit, sent);
  while (!out.queue.empty() && has_room(out)) {
    out.unacked.push_back({out.next_seq++, out.queue.take(), now});
    out.under_way += out.unacked.back().frame.size();
    emit_frame(lane, out.unacked.back(), emit);
    out.sent_upto = out.unacked.back().seq;
    sent = true;
  }
  out.window_full = out.window_full || !out.queue.empty();
  if (!out.unacked.empty() && waiting_since_ == kNever) waiting_since_ = now;
  if (!out.unacked.empty() && resend_due_ == kNever) {
    if (resend_wait_ == Duration::zero()) resend_wait_ = patience();
    resend_due_ = now + resend_wait_;
  }
}

/// Nothing was confirmed in time, or frames are known to be lost.
void LinkSession::rewind(Time now) {
  for (auto& out : lanes_) {
    if (out.unacked.empty() || mutated(Mutation::no_resend)) continue;
    out.sent_upto = out.unacked.front().seq - 1;
    out.asks = !resend_all_ && !std::exchange(out.doubts, false);
  }
  resend_all_ = false;
  resend_wait_ =
      std::min(std::max(resend_wait_, limits_.resend_after) * 2, std::max(limits_.resend_max, patience()));
  resend_due_ = kNever;
  last_rewind_ = now;
}

Bytes LinkSession::bare_ack() const {
  Bytes frame;
  append_session_header(frame, header_for(Lane::control, 0, 0));
  return frame;
}

void LinkSession::flush(Time now, const Emit& emit) {
  if (now >= resend_due_) rewind(now);
  bool sent = false;
  flush_lane(now, Lane::control, emit, sent);
  flush_lane(now, Lane::data, emit, sent);
  bool due =
      now >= ack_due_ || unacked_in_ >= kAckEvery || bytes_in_ >= kAckBytes || in_[0].gap || in_[1].gap;
  if (!sent && unacked_in_ > 0 && due) {
    emit(bare_ack());
    sent = true;
  }
  if (sent) {
    unacked_in_ = 0;
    bytes_in_ = 0;
    ack_due_ = kNever;
  }
}

/// The window grows while it is what limits the sender, and shrinks when frames wait for each other on the
/// way. Of what was sent twice nobody knows which of the two was confirmed.
void LinkSession::learn(Time now, Out& out, const Sent& last, std::uint64_t bytes) {
  if (last.again) return;
  const auto took = now - last.when;
  round_trip_ = round_trip_ == Duration::zero() ? took : (round_trip_ * 7 + took) / 8;
  quickest_ = std::min(quickest_, took);
  if (took > quickest_ + limits_.window_delay) {
    if (now - out.shrunk >= took) {
      out.window = std::max(out.window / 2, kFirstWindow);
      out.shrunk = now;
    }
  } else if (out.window_full) {
    out.window = std::min(limits_.window_bytes, out.window + bytes);
  }
  out.window_full = false;
}

void LinkSession::on_ack(Time now, Lane lane, std::uint64_t ack, bool gap) {
  auto& out = lanes_[static_cast<int>(lane)];
  Sent last;
  std::uint64_t bytes = 0;
  while (!out.unacked.empty() && out.unacked.front().seq <= ack) {
    last = std::move(out.unacked.front());
    out.unacked.pop_front();
    bytes += last.frame.size();
    auto& queued = LaneQueue::is_fragment(last.frame) ? out.long_bytes : out.bytes;
    queued -= std::min<std::uint64_t>(queued, last.frame.size() - kSessionHeaderSize);
  }
  if (bytes > 0) {
    out.under_way -= bytes;
    learn(now, out, last, bytes);
    out.doubts = std::exchange(out.asks, false);
    if (!last.again) resend_wait_ = patience();
    resend_due_ = waiting_since_ = kNever;
    refused_wait_ = Duration::zero();
    for (auto& l : lanes_) {
      if (l.unacked.empty()) continue;
      resend_due_ = now < refused_until_ ? refused_until_ : now + resend_wait_;
      waiting_since_ = now;
    }
  }
  if (gap && !out.unacked.empty() && now - last_rewind_ >= kRewindPause) resend_all(now);
}

bool LinkSession::on_frame(Time now, const SessionHeader& h, std::string_view rest, const Deliver& deliver) {
  bool gap = (h.flags & kFlagGap) != 0;
  on_ack(now, Lane::control, h.ack[0], gap);
  on_ack(now, Lane::data, h.ack[1], gap);
  if (h.seq == 0) return true;
  auto& in = in_[static_cast<int>(h.lane)];
  if (++unacked_in_ == 1) ack_due_ = now + limits_.ack_delay;
  bytes_in_ += rest.size();
  if (h.seq <= in.received && mutated(Mutation::delivers_twice) && h.lane == Lane::data)
    return take_body(in, h.flags, rest, deliver);
  if (h.seq <= in.received) return true;
  if (h.seq != in.received + 1) {
    in.gap = true;
    if (in.early.size() < kMaxEarly) in.early.try_emplace(h.seq, h.flags, Bytes(rest));
    return true;
  }
  in.received = h.seq;
  if (!take_body(in, h.flags, rest, deliver)) return false;
  for (auto it = in.early.begin(); it != in.early.end() && it->first <= in.received + 1;
       it = in.early.erase(it)) {
    if (it->first <= in.received) continue;
    in.received = it->first;
    if (!take_body(in, it->second.first, it->second.second, deliver)) return false;
  }
  in.gap = !in.early.empty();
  return true;
}

bool LinkSession::take_body(In& in, std::uint8_t flags, std::string_view body, const Deliver& deliver) {
  if ((flags & kFlagFragment) != 0) {
    if (in.partial.size() + body.size() > limits_.max_message + kPartHeaderSize) return false;
    in.partial.append(body);
    if ((flags & kFlagLastFragment) == 0) return true;
    Bytes whole = std::move(in.partial);
    in.partial.clear();
    std::string_view rest = whole;
    auto part = take_part(rest);
    if (!part || !rest.empty()) return false;
    deliver(*part);
    return true;
  }
  while (!body.empty()) {
    auto part = take_part(body);
    if (!part) return false;
    deliver(*part);
  }
  return true;
}

void LinkSession::resend_at(Time when) {
  quickest_ = kNever;  // it may be another line
  resend_all(when);
}

void LinkSession::resend_all(Time when) {
  if (lanes_[0].unacked.empty() && lanes_[1].unacked.empty()) return;
  resend_due_ = std::min(resend_due_, when);
  resend_all_ = true;
}

void LinkSession::refused(Time now) {
  if (now >= refused_until_) {  // several frames of one turn are refused as one
    refused_wait_ = std::clamp(refused_wait_ * 2, kRefusedFirst, kRefusedMax);
    refused_until_ = now + refused_wait_;
  }
  resend_all(refused_until_);
}

Time LinkSession::next_deadline() const {
  for (const auto& out : lanes_) {
    if (!out.queue.empty() && has_room(out)) return Time::zero();
  }
  return std::min(resend_due_, ack_due_);
}

bool LinkSession::idle() const {
  return std::all_of(std::begin(lanes_), std::end(lanes_),
                     [](const Out& o) { return o.queue.empty() && o.unacked.empty(); });
}

}  // namespace processhub::protocol
