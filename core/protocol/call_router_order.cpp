// The order of this node's messages to a child that moves: the way over its former node is swept before the
// new one is taken.
#include <algorithm>
#include <utility>

#include "core/hash.hpp"
#include "core/protocol/call_router.hpp"
#include "core/protocol/mutation.hpp"

namespace processhub::protocol {

namespace {
constexpr Duration kFlushPatience = std::chrono::seconds(2);
constexpr Duration kTrailCold = std::chrono::seconds(10);  // nothing is on its way any more
}  // namespace

/// What this node has sent to a child before must not be overtaken when the child has moved: the way over its
/// former node is swept first, and messages wait. (Instances of one child have no common order.)
bool CallRouter::keeps_order(const Child& child, NodeId to) {
  if (child.entries.size() > 1 && prefer_local_) return true;
  const auto& id = child.spec->spec.id;
  if (flushes_.contains(id)) return false;
  if (child.slot >= trails_.size()) trails_.resize(child.slot + 1);
  auto& trail = trails_[child.slot];
  const auto former = std::exchange(trail.node, to);
  const bool recent = ctx_.now - std::exchange(trail.when, ctx_.now) < kTrailCold;
  if (!former || former == to || former == ctx_.self() || !recent || mutated(Mutation::overtakes_moves))
    return true;
  Flush flush{former, 0, {}, ctx_.now};
  if (!sweep(id, flush)) return true;
  flushes_.emplace(id, flush);
  return false;
}

/// It runs here now, and threads of this process would hand it messages themselves: not before all that this
/// node sent to it elsewhere has come.
void CallRouter::close_direct_way(const Child& child) {
  if (child.slot >= trails_.size() || !trails_[child.slot].node) return;  // of most: nothing was ever sent
  const auto* own = child.entry_of(ctx_.self());
  if (own == nullptr || !serves(*own)) return;
  if (keeps_order(child, ctx_.self()) || mutated(Mutation::direct_at_once)) return;
  const auto& id = child.spec->spec.id;
  if (closed_.insert(id).second) ctx_.emit(effect::DirectWay{id, false});
}

/// Called when what waited has been posted.
void CallRouter::open_direct_way(const std::string& id) {
  if (!flushes_.contains(id) && closed_.erase(id) != 0) ctx_.emit(effect::DirectWay{id, true});
}

/// False: there is no way over the former node.
bool CallRouter::sweep(const std::string& id, Flush& flush) {
  flush.token = ++last_flush_;
  flush.until = ctx_.now + kFlushPatience;
  const CallRequest question{{}, flush.token, id, {}, {}, false, kFlushPatience, 1, true};
  return links_.send(flush.via, Lane::data, question, Sending::in_flow(hash64(id)));
}

/// The question may be lost with a node that had it; whichever is answered came behind all messages.
void CallRouter::sweep_again(std::map<std::string, Flush>::iterator flush) {
  auto& [id, f] = *flush;
  if (ctx_.now - f.since >= kTrailCold || !sweep(id, f)) end_flush(flush);
}

void CallRouter::end_flush(std::map<std::string, Flush>::iterator flush) {
  ready_.insert(flush->first);
  flushes_.erase(flush);
}

void CallRouter::on_swept(Token token) {
  const auto flush =
      std::find_if(flushes_.begin(), flushes_.end(), [&](const auto& f) { return f.second.token == token; });
  if (flush != flushes_.end()) end_flush(flush);
}

}  // namespace processhub::protocol
