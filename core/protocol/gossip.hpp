// Gossip: how nodes find out what they missed when nobody repeats to everybody that all is as it was. In each
// heartbeat interval a node shows two digests to a few others, to all in turn; the session's acknowledgement
// of that is also the sign of life that Membership waits for. Who differs and stays different exchanges what
// is missing.
#pragma once

#include <cstdint>
#include <vector>

#include "core/protocol/context.hpp"
#include "core/protocol/links.hpp"
#include "core/protocol/membership.hpp"
#include "core/protocol/replication.hpp"

namespace processhub::protocol {

class Gossip {
 public:
  Gossip(Context& context, Membership& membership, Links& links, Replication& replication);

  // `own` is this node's heartbeat as it is now.
  /// Shows the digests to the next few members.
  void round(const Heartbeat& own);
  void on(NodeId from, const Digests& theirs, const Heartbeat& own);
  void on(NodeId from, const Heard& theirs, const Heartbeat& own);
  void on(const Rumours& rumours);

 private:
  Digests digests(const Heartbeat& own);
  bool worth_asking(const Digests& theirs, const Digests& ours);
  Heard heard(const Heartbeat& own, bool answer) const;
  void tell_missing(NodeId to, const Heard& theirs, const Heartbeat& own);
  void tell_gone(NodeId to, const Heard& theirs);

  Context& ctx_;
  Membership& membership_;
  Links& links_;
  Replication& replication_;
  std::vector<NodeId> order_{};  ///< of this pass over all members, shuffled; taken from the back
  std::uint64_t sum_ = 0;        ///< of all members' heartbeats …
  std::uint64_t summed_ = 0;     ///< … after so many changes
  Digests last_{};
  Time changed_{};  ///< `last_` is so since then
  Time agreed_{};   ///< somebody had the same digests
  Time asked_{};
};

}  // namespace processhub::protocol
