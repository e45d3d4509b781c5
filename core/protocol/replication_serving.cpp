// The answering side of Replication: snapshots of specs and tables, in slices.
#include <algorithm>

#include "core/protocol/membership.hpp"
#include "core/protocol/replication.hpp"

namespace processhub::protocol {

namespace {
constexpr std::size_t kSpecsPerChunk = 400;
constexpr std::size_t kRowsPerChunk = 1500;
}  // namespace

bool Replication::serves_table_of(NodeId owner) const {
  return owner == ctx_.self() || !membership_.is_up(owner);
}

void Replication::on(NodeId from, const Pull& p) {
  std::erase_if(serving_, [&](const Serving& s) { return s.peer == from; });
  flush_deltas();
  pubs_.flush();
  Serving job;
  job.peer = from;
  job.nonce = p.nonce;
  job.as_of = pubs_.last_seq();
  job.seen = registry_.seen().snapshot();
  job.live = registry_.live_dots();
  job.theirs.merge(p.seen);
  job.all_values = p.all_values;
  std::map<NodeId, std::uint64_t> have;
  for (const auto& t : p.tables) have[t.node] = t.version;
  for (const auto& [node, table] : registry_.tables()) {
    if (node != from && serves_table_of(node) && table.version > have[node])
      job.tables.push_back({node, have[node]});
  }
  serving_.push_back(std::move(job));
}

bool Replication::work(std::size_t budget) {
  if (serving_.empty()) return false;
  // One peer after the other, a slice each, so that a big snapshot does not hold up a small one.
  auto job = std::move(serving_.front());
  serving_.erase(serving_.begin());
  if (!serve(job, budget)) serving_.push_back(std::move(job));
  return !serving_.empty();
}

bool Replication::serve(Serving& job, std::size_t budget) {
  if (!links_.has_session(job.peer)) return true;
  if (!serve_specs(job, budget)) return false;
  if (!serve_tables(job, budget)) return false;
  PullChunk end;
  end.nonce = job.nonce;
  end.last = true;
  end.as_of = job.as_of;
  end.statics = events_.statics_known();
  end.seen = std::move(job.seen);
  end.live = std::move(job.live);
  links_.send(job.peer, Lane::control, end);
  return true;
}

bool Replication::serve_specs(Serving& job, std::size_t budget) {
  PullChunk chunk;
  chunk.nonce = job.nonce;
  for (std::size_t n = 0; job.cursor < registry_.slot_end(); ++job.cursor) {
    if (n++ >= budget || chunk.specs.size() + chunk.values.size() >= kSpecsPerChunk) break;
    auto* child = registry_.at(job.cursor);
    if (child == nullptr || !child->spec) continue;
    bool lacks = !job.theirs.contains(child->uid);
    if (lacks) {
      auto record = child->spec;
      if (const auto highest = child->highest_epoch(); highest > record->epoch_floor) {
        auto raised = std::make_shared<SpecRecord>(*record);
        raised->epoch_floor = highest;
        record = std::move(raised);
      }
      chunk.specs.push_back(std::move(record));
    }
    if (child->value->version > 0 && (lacks || job.all_values))
      chunk.values.push_back({child->uid, *child->value});
  }
  if (!chunk.specs.empty() || !chunk.values.empty()) links_.send(job.peer, Lane::control, chunk);
  return job.cursor >= registry_.slot_end();
}

void Replication::begin_table(Serving& job) {
  const auto& have = job.tables[job.table];
  job.rows.clear();
  job.table_full = have.version == 0 || !registry_.rows_since(have.node, have.version, job.rows);
  job.table_cursor = 0;
  if (job.table_full) {
    job.rows.clear();
    for (Slot s = 0; s < registry_.slot_end(); ++s) {
      auto* child = registry_.at(s);
      if (child != nullptr && child->entry_of(have.node) != nullptr) job.rows.push_back(child->uid);
    }
  }
  std::reverse(job.rows.begin(), job.rows.end());  // taken from the back
  job.table_open = true;
}

bool Replication::serve_tables(Serving& job, std::size_t) {
  while (job.table < job.tables.size()) {
    bool first = !job.table_open;
    if (first) begin_table(job);
    auto node = job.tables[job.table].node;
    TablePart part;
    part.node = node;
    part.full = first && job.table_full;
    while (!job.rows.empty() && part.rows.size() < kRowsPerChunk) {
      part.rows.push_back(registry_.row(node, job.rows.back()));
      job.rows.pop_back();
    }
    part.last = job.rows.empty();
    part.version = registry_.table(node).version;
    PullChunk chunk;
    chunk.nonce = job.nonce;
    bool done = part.last;
    chunk.tables.push_back(std::move(part));
    links_.send(job.peer, Lane::control, chunk);
    if (!done) return false;
    job.table_open = false;
    ++job.table;
  }
  return true;
}

}  // namespace processhub::protocol
