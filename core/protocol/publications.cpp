#include "core/protocol/publications.hpp"

#include "core/hash.hpp"
#include "core/protocol/mutation.hpp"

namespace processhub::protocol {

Publications::Publications(Context& context) : ctx_(context), hub_hash_(hash64(context.config.hub_id)) {}

void Publications::append(std::uint16_t kind) {
  if (!open_.empty() && open_.size() + body_.size() + kPartHeaderSize > kFrameTarget) close_frame();
  if (open_.empty()) append_publish_header(open_, {hub_hash_, ctx_.self().hash(), next_seq_});
  put_part_header(open_, kind, static_cast<std::uint32_t>(body_.size()));
  open_.append(body_);
}

void Publications::close_frame() {
  if (open_.empty()) return;
  ++next_seq_;
  ++ctx_.stats.published;
  ctx_.emit(effect::Publish{std::move(open_)});
  open_.clear();
}

void Publications::flush() { close_frame(); }

void Publications::Stream::close() {
  for (auto it = early.begin(); it != early.end() && *it <= upto + 1; it = early.erase(it)) {
    if (*it == upto + 1) ++upto;
  }
}

bool Publications::received(NodeId from, std::uint64_t seq) {
  auto& s = streams_[from];
  if (seq <= s.upto || !s.early.insert(seq).second) return false;
  s.close();
  return true;
}

void Publications::repaired(NodeId from, std::uint64_t seq) {
  auto& s = streams_[from];
  if (seq > s.upto) s.upto = seq;
  s.close();
}

bool Publications::has_gap(NodeId from) const {
  auto it = streams_.find(from);
  return it != streams_.end() && !it->second.early.empty();
}

std::uint64_t Publications::complete_upto(NodeId from) const {
  auto it = streams_.find(from);
  if (mutated(Mutation::confirms_too_early) && it != streams_.end() && !it->second.early.empty())
    return *it->second.early.rbegin();
  return it == streams_.end() ? 0 : it->second.upto;
}

}  // namespace processhub::protocol
