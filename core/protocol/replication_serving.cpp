// The answering side of Replication: snapshots of specs and tables, in slices.
#include <algorithm>

#include "core/protocol/membership.hpp"
#include "core/protocol/replication.hpp"

namespace processhub::protocol {

namespace {
constexpr std::size_t kSpecsPerChunk = 400;
constexpr std::size_t kChunkBytes = 256 * 1024;
constexpr std::uint64_t kServeWindow = 8ULL << 20;  // of a snapshot, on its way to one peer
constexpr Duration kServeAgain = std::chrono::milliseconds(5);
constexpr std::size_t kRowsPerChunk = 1500;
}  // namespace

bool Replication::serves_table_of(NodeId owner, const Pull& p) const {
  return p.others || owner == ctx_.self() || !membership_.is_up(owner);
}

void Replication::on(NodeId from, const Pull& p) {
  std::erase_if(serving_, [&](const Serving& s) { return s.peer == from; });
  flush_deltas();
  pubs_.flush();
  Serving job;
  job.peer = from;
  job.nonce = p.nonce;
  job.as_of = pubs_.last_seq();
  if (p.spec_digest == events_.spec_digest()) {
    job.cursor = registry_.slot_end();  // after a cut, mostly: only tables differ
  } else {
    job.seen = registry_.seen().snapshot();
    job.live = registry_.live_dots();
    job.theirs.merge(p.seen);
  }
  job.all_values = p.all_values;
  std::map<NodeId, std::uint64_t> have;
  for (const auto& t : p.tables) have[t.node] = t.version;
  for (const auto& [node, table] : registry_.tables()) {
    if (node != from && serves_table_of(node, p) && table.version > have[node])
      job.tables.push_back({node, have[node]});
  }
  serving_.push_back(std::move(job));
}

/// A snapshot may be larger than what a session keeps: the rest follows as the peer confirms.
bool Replication::has_room(NodeId peer) const {
  return !links_.has_session(peer) ||
         links_.queued(peer, Lane::control) < std::min(kServeWindow, ctx_.config.link_ring_bytes / 2);
}

bool Replication::work(std::size_t budget) {
  if (serving_.empty() || ctx_.now < serve_due_) return false;
  // One peer after the other, a slice each, so that a big snapshot does not hold up a small one.
  auto next =
      std::find_if(serving_.begin(), serving_.end(), [&](const Serving& s) { return has_room(s.peer); });
  if (next == serving_.end()) {
    serve_due_ = ctx_.now + kServeAgain;
    return false;
  }
  auto job = std::move(*next);
  serving_.erase(next);
  if (!serve(job, budget)) serving_.push_back(std::move(job));
  return !serving_.empty();
}

/// True when the job is over. What could not be sent stays in the job: a chunk left out would make what was
/// in it look removed.
bool Replication::serve(Serving& job, std::size_t budget) {
  if (!links_.has_session(job.peer)) return true;
  if (!serve_specs(job, budget)) return false;
  if (!serve_tables(job, budget)) return false;
  PullChunk end;
  end.nonce = job.nonce;
  end.last = true;
  end.as_of = job.as_of;
  end.statics = events_.statics_known();
  end.seen = job.seen;
  end.live = job.live;
  return links_.send(job.peer, Lane::control, end);
}

bool Replication::serve_specs(Serving& job, std::size_t budget) {
  PullChunk chunk;
  chunk.nonce = job.nonce;
  std::size_t bytes = 0;
  auto cursor = job.cursor;
  for (std::size_t n = 0; cursor < registry_.slot_end(); ++cursor) {
    if (n++ >= budget || chunk.specs.size() + chunk.values.size() >= kSpecsPerChunk || bytes > kChunkBytes)
      break;
    auto* child = registry_.at(cursor);
    if (child == nullptr || !child->spec) continue;
    bool lacks = !job.theirs.contains(child->uid);
    if (lacks) {
      auto record = child->spec;
      if (const auto highest = child->highest_epoch(); highest > record->epoch_floor) {
        auto raised = std::make_shared<SpecRecord>(*record);
        raised->epoch_floor = highest;
        record = std::move(raised);
      }
      bytes += size_guess(*record);
      chunk.specs.push_back(std::move(record));
    }
    if (child->value->is_set() && (lacks || job.all_values)) {
      bytes += size_guess(*child->spec);  // metadata may have grown as long as the first
      chunk.values.push_back({child->uid, *child->value});
    }
  }
  const bool empty = chunk.specs.empty() && chunk.values.empty();
  if (!empty && !links_.send(job.peer, Lane::control, chunk)) return false;
  job.cursor = cursor;
  return job.cursor >= registry_.slot_end();
}

void Replication::begin_table(Serving& job) {
  const auto& have = job.tables[job.table];
  job.rows.clear();
  job.table_full = have.version == 0 || !registry_.rows_since(have.node, have.version, job.rows);
  job.table_version = registry_.table(have.node).version;
  if (job.table_full) job.rows = registry_.rows_of(have.node);
  std::reverse(job.rows.begin(), job.rows.end());  // taken from the back
  job.table_open = true;
  job.table_begun = false;
}

bool Replication::serve_tables(Serving& job, std::size_t) {
  while (job.table < job.tables.size()) {
    if (!job.table_open) begin_table(job);
    auto node = job.tables[job.table].node;
    TablePart part;
    part.node = node;
    part.full = !job.table_begun && job.table_full;
    const auto count = std::min(job.rows.size(), kRowsPerChunk);
    for (std::size_t i = 0; i < count; ++i)
      part.rows.push_back(registry_.row(node, job.rows[job.rows.size() - 1 - i]));
    const bool done = part.last = count == job.rows.size();
    part.version = job.table_version;
    PullChunk chunk;
    chunk.nonce = job.nonce;
    chunk.tables.push_back(std::move(part));
    if (!links_.send(job.peer, Lane::control, chunk)) return false;
    job.table_begun = true;
    job.rows.resize(job.rows.size() - count);
    if (!done) return false;
    job.table_open = false;
    ++job.table;
  }
  return true;
}

}  // namespace processhub::protocol
