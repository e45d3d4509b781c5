#include "core/protocol/replication.hpp"

#include <algorithm>

#include "core/protocol/membership.hpp"
#include "core/protocol/mutation.hpp"
#include "core/protocol/spec_pool.hpp"

namespace processhub::protocol {

namespace {

constexpr std::size_t kDeltaBytes = 48 * 1024;  // about what one publication carries
constexpr std::size_t kRowsPerDelta = 1500;     // about 30 bytes each
constexpr Duration kPullRetry = std::chrono::seconds(5);

}  // namespace

std::size_t size_guess(const SpecRecord& s) {
  const auto& kind = *s.spec.kind;
  std::size_t n = 64 + s.spec.id.size() + kind.type.size() + kind.args.bytes().size() + kind.tag.size();
  for (const auto& [k, v] : kind.metadata) n += 4 + k.size() + v.size();
  return n;
}

Replication::Replication(Context& context, Registry& registry, Links& links, Publications& publications,
                         Membership& membership, ReplicationEvents& events)
    : ctx_(context),
      registry_(registry),
      links_(links),
      pubs_(publications),
      membership_(membership),
      events_(events) {}

// -- facts of this node
// --------------------------------------------------------------------------------------------

void Replication::add_spec(std::shared_ptr<const SpecRecord> spec) {
  pending_size_ += size_guess(*spec);
  pending_.added.push_back(spec);
  auto uid = spec->uid;
  registry_.add_spec(std::move(spec));
  if (auto* child = registry_.find(uid)) events_.on_spec_added(*child);
  if (pending_size_ >= kDeltaBytes) flush_deltas();
}

void Replication::remove_spec(const Uid& uid) {
  registry_.remove_spec(uid);
  pending_.removed.push_back(uid);
  pending_size_ += 20;
  if (pending_size_ >= kDeltaBytes) flush_deltas();
}

void Replication::set_value(const Uid& uid, const SpecValue& value) {
  if (!registry_.merge_value(uid, value)) return;
  pending_.values.push_back({uid, value});
  pending_size_ += 128;
}

void Replication::set_static(const StaticValue& value) {
  pending_.statics.push_back(value);
  pending_size_ += 64 + value.id.size();
}

void Replication::set_row(const TableRow& row) {
  registry_.put_row(ctx_.self(), row, ++own_version_);
  registry_.table(ctx_.self()).version = own_version_;
  pending_rows_.push_back(row.uid);
}

std::uint64_t Replication::own_digest() { return registry_.table(ctx_.self()).digest; }

std::uint64_t Replication::flush_deltas() {
  if (pending_size_ > 0) {
    pubs_.publish(pending_);
    spec_publication_ = pubs_.last_seq();
    pending_ = {};
    pending_size_ = 0;
    pubs_.flush();
  }
  if (!pending_rows_.empty()) {
    std::sort(pending_rows_.begin(), pending_rows_.end());
    pending_rows_.erase(std::unique(pending_rows_.begin(), pending_rows_.end()), pending_rows_.end());
    // Several parts of one change of version: only the last one brings a receiver to `to`.
    for (std::size_t at = 0; at < pending_rows_.size(); at += kRowsPerDelta) {
      auto end = std::min(pending_rows_.size(), at + kRowsPerDelta);
      bool last = end == pending_rows_.size();
      TableDelta delta{ctx_.self(), published_version_, own_version_, last, {}};
      for (auto i = at; i < end; ++i) delta.rows.push_back(registry_.row(ctx_.self(), pending_rows_[i]));
      pubs_.publish(delta);
    }
    published_version_ = own_version_;
    pending_rows_.clear();
  }
  return spec_publication_;
}

// -- facts of others
// -----------------------------------------------------------------------------------------------

void Replication::take_specs(const std::vector<std::shared_ptr<const SpecRecord>>& specs, bool pulled) {
  const auto& pool = ctx_.identity.specs;
  for (const auto& spec : specs) {
    if (!spec->uid || !registry_.add_spec(pool ? pool->share(spec) : spec)) continue;
    auto* child = registry_.find(spec->uid);
    if (child == nullptr) continue;
    child->pulled = pulled;
    events_.on_spec_added(*child);
  }
}

void Replication::take_values(const std::vector<UidValue>& values) {
  for (const auto& v : values) registry_.merge_value(v.uid, v.value);
}

void Replication::on(NodeId from, const SpecDelta& delta) {
  // Before its snapshot is complete a publication may be from long ago, too.
  take_specs(delta.added, !complete(from));
  for (const auto& uid : delta.removed) registry_.remove_spec(uid);
  take_values(delta.values);
  for (const auto& s : delta.statics) events_.on_static(s);
}

void Replication::on(NodeId from, const TableDelta& delta) {
  // Behind a gap nothing says which parts of this change were lost: the pull that is under way brings it
  // whole.
  if (delta.node != from) return;
  if (ctx_.gossips()) doubtful_.insert(from);
  if (pubs_.has_gap(from)) return;
  auto& table = registry_.table(from);
  if (delta.from != table.version) {
    if (delta.from > table.version) pull(from, false);  // the publication before it was lost
    return;
  }
  for (const auto& row : delta.rows) registry_.put_row(from, row, delta.to);
  if (delta.last) table.version = std::max(table.version, delta.to);
}

void Replication::on_publication(NodeId from, bool wants_ack) {
  auto& state = peers_[from];
  if (pubs_.has_gap(from) && state.pull == 0 && !mutated(Mutation::no_gap_repair)) {
    ++ctx_.stats.gaps;
    pull(from, false);
  }
  if (wants_ack) want_acks_.insert(from);
}

void Replication::flush_acks() {
  std::erase_if(want_acks_, [&](NodeId peer) {
    auto& state = peers_[peer];
    auto upto = std::max(pubs_.complete_upto(peer), state.same_upto);
    if (upto <= state.ack_sent || !links_.send(peer, Lane::control, PubAck{upto})) return false;
    state.ack_sent = upto;
    return !pubs_.has_gap(peer);
  });
}

void Replication::on_same_specs(NodeId from, std::uint64_t published) {
  auto& state = peers_[from];
  if (!state.complete || published <= std::max(pubs_.complete_upto(from), state.same_upto)) return;
  state.same_upto = published;
  want_acks_.insert(from);
}

void Replication::on(NodeId from, const PubAck& ack) {
  auto& state = peers_[from];
  if (ack.seq <= state.acked) return;
  state.acked = ack.seq;
  events_.on_acknowledged(from, ack.seq);
}

std::uint64_t Replication::acknowledged(NodeId peer) const {
  auto it = peers_.find(peer);
  return it == peers_.end() ? 0 : it->second.acked;
}

void Replication::on_heartbeat(NodeId from, const Heartbeat& h) {
  auto& state = peers_[from];
  if (auto waits = incomplete_.find(from); waits != incomplete_.end()) {
    waits->second = true;
    return compare(from);
  }
  const bool same_specs = h.spec_digest == events_.spec_digest();
  if (same_specs) on_same_specs(from, h.published);
  if (mutated(Mutation::no_digests)) return;
  const auto& table = registry_.table(from);
  if (h.table_version > table.version && !pubs_.has_gap(from) && state.pull == 0) pull(from, false);
  // Nobody repeats what it holds: what is not as announced is looked at again until it is.
  if (has_table_of(from, h))
    doubtful_.erase(from);
  else if (ctx_.gossips())
    doubtful_.insert(from);
  // In gossip mode specs are compared by Digests: a heartbeat that is not repeated says nothing of them.
  bool equal =
      (ctx_.gossips() || same_specs) && (h.table_version != table.version || h.table_digest == table.digest);
  if (equal || h.table_version < table.version) {
    state.mismatch_since = kNever;
    return;
  }
  if (state.mismatch_since == kNever) state.mismatch_since = ctx_.now;
  if (ctx_.now - state.mismatch_since < ctx_.config.sync_interval) return;
  state.mismatch_since = ctx_.now;
  bool table_broken = h.table_version == table.version && h.table_digest != table.digest;
  if (table_broken) registry_.table(from).version = 0;  // the log cannot explain it: take a full copy
  pull(from, true);
}

/// The table is here as announced, or newer.
bool Replication::has_table_of(NodeId owner, const Heartbeat& h) {
  const auto& table = registry_.table(owner);
  return h.table_version < table.version ||
         (h.table_version == table.version && h.table_digest == table.digest);
}

bool Replication::complete(NodeId peer) const {
  auto it = peers_.find(peer);
  return it != peers_.end() && it->second.complete;
}

bool Replication::table_current(NodeId node) const {
  auto member = membership_.members().find(node);
  if (member == membership_.members().end() || !member->second.announced || !complete(node)) return false;
  auto table = registry_.tables().find(node);
  auto version = table == registry_.tables().end() ? 0 : table->second.version;
  return version >= member->second.last.table_version;
}

void Replication::on_session_up(NodeId peer) {
  auto& state = peers_[peer];
  set_pull(peer, state, 0);
  state.ack_sent = state.same_upto = 0;
  want_acks_.insert(peer);
  if (!ctx_.gossips()) return pull(peer, true);
  incomplete_[peer] = false;
}

void Replication::on_session_end(NodeId peer) {
  auto& state = peers_[peer];
  set_pull(peer, state, 0);
  incomplete_.erase(peer);
  want_acks_.erase(peer);
  state.pull_again = false;
  state.complete = false;
  std::erase_if(serving_, [&](const Serving& s) { return s.peer == peer; });
}

void Replication::on_member_gone(NodeId peer) {
  on_session_end(peer);
  peers_[peer].acked = 0;
}

void Replication::refresh(NodeId peer) {
  auto& state = peers_[peer];
  state.complete = false;
  set_pull(peer, state, 0);
  pull(peer, true);
}

// -- comparing instead of pulling
// ----------------------------------------------------------------------------------

bool Replication::same_as_here(NodeId peer, const Heartbeat& h) {
  return h.spec_digest == events_.spec_digest() && !pubs_.has_gap(peer) && has_table_of(peer, h);
}

/// Of all peers that a newcomer meets at once, one brings everything; the others are found to hold the same.
void Replication::compare(NodeId peer) {
  const auto waits = incomplete_.find(peer);
  if (waits == incomplete_.end() || !waits->second || pulling_.contains(peer)) return;
  const auto& last = membership_.members().at(peer).last;
  if (same_as_here(peer, last))
    make_complete(peer, last.published);
  else if (pulling_.empty())
    pull(peer, true);
}

void Replication::compare_incomplete() {
  std::vector<NodeId> peers;
  for (const auto& [peer, said] : incomplete_)
    if (said) peers.push_back(peer);
  for (auto peer : peers) compare(peer);
}

void Replication::make_complete(NodeId peer, std::uint64_t publications) {
  pubs_.repaired(peer, publications);
  incomplete_.erase(peer);
  if (ctx_.gossips()) doubtful_.insert(peer);
  peers_[peer].complete = true;
  want_acks_.insert(peer);
  events_.on_peer_complete(peer);
}

// -- pulling
// -------------------------------------------------------------------------------------------------------

void Replication::pull(NodeId peer, bool values) {
  auto& state = peers_[peer];
  state.pull_values = state.pull_values || values;
  if (state.pull != 0) {
    state.pull_again = true;
    return;
  }
  send_pull(peer, state);
}

void Replication::set_pull(NodeId peer, PeerState& state, std::uint64_t nonce) {
  state.pull = nonce;
  if (nonce == 0)
    pulling_.erase(peer);
  else
    pulling_.insert(peer);
}

void Replication::send_pull(NodeId peer, PeerState& state) {
  if (!links_.has_session(peer)) return;
  Pull p;
  p.nonce = ++last_nonce_;
  p.seen = registry_.seen().snapshot();
  p.spec_digest = events_.spec_digest();
  p.all_values = state.pull_values;
  p.others = ctx_.gossips() && !state.complete;  // a newcomer gets all from one
  for (const auto& [node, table] : registry_.tables()) {
    if (node != ctx_.self()) p.tables.push_back({node, table.version});
  }
  set_pull(peer, state, p.nonce);
  state.pull_sent = ctx_.now;
  state.pull_again = false;
  state.pull_values = false;
  links_.send(peer, Lane::control, p);
}

void Replication::take_table(NodeId from, const TablePart& part) {
  if (part.node == ctx_.self() || !part.node) return;
  bool own = part.node == from;
  // A living node speaks for itself; of a dead one the highest version spreads. In gossip mode of all.
  if (!own && !ctx_.gossips() && membership_.is_up(part.node)) return;
  auto& table = registry_.table(part.node);
  if (!part.full && part.version <= table.version) return;
  if (part.full) {
    if (part.version < table.version && !own) return;
    registry_.drop_table(part.node);
  }
  if (!own && part.last) doubtful_.insert(part.node);  // parts of two copies may have mixed
  for (const auto& row : part.rows) registry_.put_row(part.node, row, part.version);
  auto& fresh = registry_.table(part.node);
  if (part.last) fresh.version = std::max(fresh.version, part.version);
}

void Replication::take_removals(const PullChunk& chunk) {
  if (chunk.seen.empty()) return;
  SeenSet theirs;
  theirs.merge(chunk.seen);
  std::map<NodeId, const LiveDots*> live;
  for (const auto& l : chunk.live) live[l.origin] = &l;
  auto lives = [&](const Uid& uid) {
    auto it = live.find(uid.origin);
    if (it == live.end()) return false;
    const auto& r = it->second->ranges;
    auto after = static_cast<std::size_t>(std::upper_bound(r.begin(), r.end(), uid.counter) - r.begin());
    // Odd: inside a pair. Even: between pairs, or on the last number of one.
    return after % 2 == 1 || (after > 0 && r[after - 1] == uid.counter);
  };
  for (Slot s = 0; s < registry_.slot_end(); ++s) {
    auto* child = registry_.at(s);
    if (child == nullptr || !child->spec) continue;
    if (mutated(Mutation::keeps_what_others_removed)) continue;
    if (theirs.contains(child->uid) && !lives(child->uid)) registry_.remove_spec(child->uid);
  }
  registry_.merge_seen(chunk.seen);
}

void Replication::on(NodeId from, const PullChunk& chunk) {
  auto& state = peers_[from];
  if (state.pull != chunk.nonce) return;  // of an older pull
  take_specs(chunk.specs, true);
  take_values(chunk.values);
  for (const auto& s : chunk.statics) events_.on_static(s);
  for (const auto& t : chunk.tables) take_table(from, t);
  if (!chunk.last) return;
  take_removals(chunk);
  set_pull(from, state, 0);
  make_complete(from, chunk.as_of);
  if (state.pull_again || pubs_.has_gap(from)) send_pull(from, state);
  if (!incomplete_.empty()) compare_incomplete();
}

void Replication::tick() {
  for (auto peer : std::vector<NodeId>(pulling_.begin(), pulling_.end())) {
    auto& state = peers_[peer];
    // The session delivers; only a peer that lost our request (a session that ended) needs asking again.
    if (ctx_.now - state.pull_sent > kPullRetry && links_.has_session(peer)) {
      set_pull(peer, state, 0);
      pull(peer, true);
    }
  }
  compare_incomplete();  // the one that was to bring everything may be gone
  for (auto peer : std::vector<NodeId>(doubtful_.begin(), doubtful_.end())) {
    const auto member = membership_.members().find(peer);
    if (member != membership_.members().end() && member->second.announced &&
        Membership::is_up(member->second))
      on_heartbeat(peer, member->second.last);
    else
      doubtful_.erase(peer);
  }
}

Time Replication::next_deadline() const { return serving_.empty() ? kNever : serve_due_; }

}  // namespace processhub::protocol
