#include "core/protocol/link_session.hpp"

#include <algorithm>

#include "core/protocol/mutation.hpp"

namespace processhub::protocol {

namespace {

constexpr std::uint32_t kAckEvery = 32;   // frames received before an acknowledgement does not wait
constexpr std::size_t kFirstRoom = 1024;  // of a frame: it grows, but not by a few bytes at a time
constexpr std::size_t kMaxEarly = 256;    // frames kept that came before their turn
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

bool LinkSession::send_raw(Lane lane, std::uint16_t kind, std::string_view body) {
  auto& out = lanes_[static_cast<int>(lane)];
  if (body.size() > limits_.max_message || out.bytes + body.size() > limits_.ring_bytes) return false;
  if (body.size() + kPartHeaderSize > kFrameTarget) {
    send_long(out, kind, body);
    return true;
  }
  if (out.open.size() + body.size() + kPartHeaderSize > kFrameTarget + kSessionHeaderSize) close_open(out);
  if (out.open.empty()) {
    out.open.reserve(kFirstRoom);
    out.open.resize(kSessionHeaderSize, '\0');
  }
  put_part_header(out.open, kind, static_cast<std::uint32_t>(body.size()));
  out.open.append(body);
  out.bytes += body.size() + kPartHeaderSize;
  return true;
}

void LinkSession::close_open(Out& out) {
  if (out.open.empty()) return;
  out.ready.push_back(std::move(out.open));
  out.open.clear();
}

void LinkSession::send_long(Out& out, std::uint16_t kind, std::string_view body) {
  close_open(out);
  Bytes part;
  put_part_header(part, kind, static_cast<std::uint32_t>(body.size()));
  part.append(body);
  for (std::size_t at = 0; at < part.size(); at += kFrameTarget) {
    auto piece = std::string_view(part).substr(at, kFrameTarget);
    Bytes frame(kSessionHeaderSize, '\0');
    bool last = at + kFrameTarget >= part.size();
    frame[13] = static_cast<char>(kFlagFragment | (last ? kFlagLastFragment : 0));
    frame.append(piece);
    out.ready.push_back(std::move(frame));
  }
  out.bytes += part.size();
}

SessionHeader LinkSession::header_for(Lane lane, std::uint64_t seq, std::uint8_t flags) const {
  SessionHeader h{id_, lane, flags, seq, {in_[0].received, in_[1].received}};
  if (in_[0].gap || in_[1].gap) h.flags |= kFlagGap;
  return h;
}

void LinkSession::emit_frame(Lane lane, Sent& sent, const Emit& emit) {
  auto flags = static_cast<std::uint8_t>(sent.frame[13] & ~kFlagGap);
  write_session_header(sent.frame.data(), header_for(lane, sent.seq, flags));
  emit(sent.frame);
}

void LinkSession::flush_lane(Time now, Lane lane, const Emit& emit, bool& sent) {
  auto& out = lanes_[static_cast<int>(lane)];
  close_open(out);
  for (auto& s : out.unacked) {
    if (s.seq <= out.sent_upto) continue;
    emit_frame(lane, s, emit);
    out.sent_upto = s.seq;
    ++resends_;
    sent = true;
  }
  while (!out.ready.empty() && out.unacked.size() < limits_.window_frames) {
    out.unacked.push_back({out.next_seq++, std::move(out.ready.front())});
    out.ready.pop_front();
    emit_frame(lane, out.unacked.back(), emit);
    out.sent_upto = out.unacked.back().seq;
    sent = true;
  }
  if (!out.unacked.empty() && waiting_since_ == kNever) waiting_since_ = now;
  if (!out.unacked.empty() && resend_due_ == kNever) {
    if (resend_wait_ == Duration::zero()) resend_wait_ = limits_.resend_after;
    resend_due_ = now + resend_wait_;
  }
}

Bytes LinkSession::bare_ack() const {
  Bytes frame;
  append_session_header(frame, header_for(Lane::control, 0, 0));
  return frame;
}

void LinkSession::flush(Time now, const Emit& emit) {
  if (now >= resend_due_) {
    for (auto& out : lanes_)
      if (!out.unacked.empty() && !mutated(Mutation::no_resend)) out.sent_upto = out.unacked.front().seq - 1;
    resend_wait_ = std::min(std::max(resend_wait_, limits_.resend_after) * 2, limits_.resend_max);
    resend_due_ = kNever;
    last_rewind_ = now;
  }
  bool sent = false;
  flush_lane(now, Lane::control, emit, sent);
  flush_lane(now, Lane::data, emit, sent);
  bool due = now >= ack_due_ || unacked_in_ >= kAckEvery || in_[0].gap || in_[1].gap;
  if (!sent && unacked_in_ > 0 && due) {
    Bytes frame;
    append_session_header(frame, header_for(Lane::control, 0, 0));
    emit(std::move(frame));
    sent = true;
  }
  if (sent) {
    unacked_in_ = 0;
    ack_due_ = kNever;
  }
}

void LinkSession::on_ack(Time now, Lane lane, std::uint64_t ack, bool gap) {
  auto& out = lanes_[static_cast<int>(lane)];
  bool progress = false;
  while (!out.unacked.empty() && out.unacked.front().seq <= ack) {
    out.bytes -= std::min<std::uint64_t>(out.bytes, out.unacked.front().frame.size() - kSessionHeaderSize);
    out.unacked.pop_front();
    progress = true;
  }
  if (progress) {
    resend_wait_ = limits_.resend_after;
    resend_due_ = waiting_since_ = kNever;
    refused_wait_ = Duration::zero();
    for (auto& l : lanes_) {
      if (l.unacked.empty()) continue;
      resend_due_ = now < refused_until_ ? refused_until_ : now + resend_wait_;
      waiting_since_ = now;
    }
  }
  if (gap && !out.unacked.empty() && now - last_rewind_ >= kRewindPause) resend_due_ = now;
}

bool LinkSession::on_frame(Time now, const SessionHeader& h, std::string_view rest, const Deliver& deliver) {
  bool gap = (h.flags & kFlagGap) != 0;
  on_ack(now, Lane::control, h.ack[0], gap);
  on_ack(now, Lane::data, h.ack[1], gap);
  if (h.seq == 0) return true;
  auto& in = in_[static_cast<int>(h.lane)];
  if (++unacked_in_ == 1) ack_due_ = now + limits_.ack_delay;
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
  if (!lanes_[0].unacked.empty() || !lanes_[1].unacked.empty()) resend_due_ = std::min(resend_due_, when);
}

void LinkSession::refused(Time now) {
  if (now >= refused_until_) {  // several frames of one turn are refused as one
    refused_wait_ = std::clamp(refused_wait_ * 2, kRefusedFirst, kRefusedMax);
    refused_until_ = now + refused_wait_;
  }
  resend_at(refused_until_);
}

Time LinkSession::next_deadline() const {
  for (const auto& out : lanes_) {
    if (!out.open.empty()) return Time::zero();
    if (!out.ready.empty() && out.unacked.size() < limits_.window_frames) return Time::zero();
  }
  return std::min(resend_due_, ack_due_);
}

bool LinkSession::idle() const {
  return std::all_of(std::begin(lanes_), std::end(lanes_),
                     [](const Out& o) { return o.open.empty() && o.ready.empty() && o.unacked.empty(); });
}

}  // namespace processhub::protocol
