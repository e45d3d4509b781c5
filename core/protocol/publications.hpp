// Publications: the numbered PUB stream of this node and the bookkeeping of everybody else's. PUB may lose
// frames: a number that was skipped is a gap, and stays one until Replication has pulled what was in it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "core/protocol/context.hpp"
#include "core/protocol/frame.hpp"
#include "core/protocol/messages.hpp"

namespace processhub::protocol {

class Publications {
 public:
  explicit Publications(Context& context);

  // -- ours
  template <class M>
  void publish(const M& message) {
    if (ctx_.identity.pub_endpoint.empty()) return;  // no network
    if (ctx_.tap != nullptr) ctx_.tap->note(tapped(Hop::sent, {}, message));
    body_.clear();
    Writer w(body_);
    put(w, message);
    append(message_kind<M>());
  }
  /// Sends what was published since the last flush.
  void flush();
  /// The number of the frame that what was published last is (or will be) in.
  std::uint64_t last_seq() const { return open_.empty() ? next_seq_ - 1 : next_seq_; }
  bool pending() const { return !open_.empty(); }
  /// Everything up to this number is under way.
  std::uint64_t flushed_seq() const { return next_seq_ - 1; }

  // -- theirs
  /// False: this frame was seen before.
  bool received(NodeId from, std::uint64_t seq);
  /// Everything up to `seq` is here (a pull brought it).
  void repaired(NodeId from, std::uint64_t seq);
  bool has_gap(NodeId from) const;
  /// Everything up to this number is here.
  std::uint64_t complete_upto(NodeId from) const;
  void forget(NodeId from) { streams_.erase(from); }

 private:
  struct Stream {
    std::uint64_t upto = 0;
    std::set<std::uint64_t> early{};
    void close();
  };
  void append(std::uint16_t kind);
  void close_frame();

  Context& ctx_;
  std::uint64_t hub_hash_;
  std::uint64_t next_seq_ = 1;
  Bytes open_{};
  Bytes body_{};
  std::map<NodeId, Stream> streams_{};
};

}  // namespace processhub::protocol
