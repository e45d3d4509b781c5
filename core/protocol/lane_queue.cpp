#include "core/protocol/lane_queue.hpp"

#include <utility>

namespace processhub::protocol {

namespace {
constexpr std::size_t kFirstRoom = 1024;  // of a frame: it grows, but not by a few bytes at a time
constexpr std::size_t kLongestFrame = kSessionHeaderSize + kFrameTarget;

std::uint64_t bit(LaneQueue::Flow flow) { return std::uint64_t{1} << flow; }
}  // namespace

bool LaneQueue::is_fragment(const Bytes& frame) { return (frame[kSessionFlagsAt] & kFlagFragment) != 0; }

void LaneQueue::push(Flow flow, std::uint16_t kind, std::string_view body) {
  if (flow != kLast && flows_.empty()) flows_.resize(kFlows);
  auto& queue = frames(flow);
  waiting_ |= bit(flow);
  if (is_long(body)) return push_long(queue, kind, body);
  const auto size = kPartHeaderSize + body.size();
  if (queue.empty() || is_fragment(queue.back()) || queue.back().size() + size > kLongestFrame) {
    Bytes frame;
    frame.reserve(kFirstRoom);
    frame.resize(kSessionHeaderSize, '\0');
    queue.push_back(std::move(frame));
  }
  put_part_header(queue.back(), kind, static_cast<std::uint32_t>(body.size()));
  queue.back().append(body);
}

void LaneQueue::push_long(Frames& frames, std::uint16_t kind, std::string_view body) {
  Bytes start;
  put_part_header(start, kind, static_cast<std::uint32_t>(body.size()));
  while (!body.empty()) {
    const auto piece = body.substr(0, kFrameTarget - start.size());
    body.remove_prefix(piece.size());
    Bytes frame;
    frame.reserve(kSessionHeaderSize + start.size() + piece.size());
    frame.resize(kSessionHeaderSize, '\0');
    frame[kSessionFlagsAt] = static_cast<char>(kFlagFragment | (body.empty() ? kFlagLastFragment : 0));
    frame.append(start).append(piece);
    start.clear();
    frames.push_back(std::move(frame));
  }
}

/// The receiver puts one long message together at a time.
bool LaneQueue::may_go(Flow flow) {
  if (long_ == flow) return true;
  if (flow == kLast && waiting_ != bit(kLast)) return false;
  return long_ == kNone || !is_fragment(frames(flow).front());
}

LaneQueue::Flow LaneQueue::next() {
  for (Flow i = 0; i < kFlows; ++i) {
    const auto flow = static_cast<Flow>((turn_ + i) % kFlows);
    if ((waiting_ & bit(flow)) != 0 && may_go(flow)) return flow;
  }
  return kLast;
}

Bytes LaneQueue::take_from(Flow flow) {
  auto& queue = frames(flow);
  auto frame = std::move(queue.front());
  queue.pop_front();
  if (queue.empty()) waiting_ &= ~bit(flow);
  return frame;
}

Bytes LaneQueue::take() {
  const auto flow = waiting_ == bit(kLast) ? kLast : next();
  auto frame = take_from(flow);
  if (flow != kLast) turn_ = static_cast<Flow>((flow + 1) % kFlows);
  if (is_fragment(frame)) {
    long_ = (frame[kSessionFlagsAt] & kFlagLastFragment) != 0 ? kNone : flow;
  } else if (flow != kLast) {
    fill_up(frame);
  }
  return frame;
}

/// Small messages to one peer travel together, whichever flow they are of.
void LaneQueue::fill_up(Bytes& frame) {
  const auto first = turn_;
  for (Flow i = 0; i < kFlows && (waiting_ & ~bit(kLast)) != 0; ++i) {
    const auto flow = static_cast<Flow>((first + i) % kFlows);
    if ((waiting_ & bit(flow)) == 0 || is_fragment(frames(flow).front())) continue;
    if (frame.size() + frames(flow).front().size() - kSessionHeaderSize > kLongestFrame) continue;
    const auto more = take_from(flow);
    frame.append(more, kSessionHeaderSize);
    turn_ = static_cast<Flow>((flow + 1) % kFlows);
  }
}

}  // namespace processhub::protocol
