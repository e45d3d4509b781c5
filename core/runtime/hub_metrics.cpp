#include "core/runtime/hub_metrics.hpp"

#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "core/runtime/logging.hpp"

namespace processhub::runtime {

namespace {

using protocol::CountByCode;
using protocol::Distribution;
using Labels = MetricSeries::Labels;

double seconds(std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1e6; }

/// Doubles hold 53 bits exactly: as many of a digest can be compared.
double comparable(std::uint64_t digest) { return static_cast<double>(digest >> 11U); }

class Builder {
 public:
  void gauge(const char* name, const char* help, double value) { one(MetricKind::gauge, name, help, value); }
  void counter(const char* name, const char* help, std::uint64_t value) {
    one(MetricKind::counter, name, help, static_cast<double>(value));
  }
  /// A metric with series that add() adds.
  void begin(MetricKind kind, const char* name, const char* help) {
    out_.all.push_back({std::string("processhub_") + name, help, kind, {}});
  }
  void add(const char* label, std::string_view of, double value) {
    out_.all.back().series.push_back({Labels{{label, std::string(of)}}, value, {}, {}});
  }
  void add(const char* label, std::string_view of, std::uint64_t value) {
    add(label, of, static_cast<double>(value));
  }
  void histogram(const char* name, const char* help, const Distribution& of) {
    begin(MetricKind::histogram, name, help);
    MetricSeries series;
    series.value = seconds(of.sum);
    for (const auto bound : Distribution::kBounds) series.bounds.push_back(seconds(Duration(bound)));
    series.buckets.assign(of.buckets.begin(), of.buckets.end());
    out_.all.back().series.push_back(std::move(series));
  }
  Metrics take() { return std::move(out_); }

 private:
  void one(MetricKind kind, const char* name, const char* help, double value) {
    begin(kind, name, help);
    out_.all.back().series.push_back({{}, value, {}, {}});
  }
  Metrics out_{};
};

void add_hub(Builder& b, const MetricSources& from) {
  b.begin(MetricKind::gauge, "info", "1, with the version of this node");
  b.add("version", PROCESSHUB_VERSION, 1.0);
  b.gauge("joined", "1 once this node has joined", from.cluster.joined ? 1 : 0);
  b.gauge("partitioned", "1 while this side of the cluster has no quorum", from.cluster.partitioned ? 1 : 0);
  b.gauge("settled", "1 while the view is agreed and every table is current",
          from.meters.core.settled ? 1 : 0);
}

void add_queue(Builder& b, const MetricSources& from) {
  const auto& core = from.meters.core;
  b.gauge("queue_waiting", "Events that wait in the event queue", static_cast<double>(core.queue_waiting));
  b.gauge("queue_level", "Events below this priority wait; 0 while nothing locks the queue",
          core.queue_level);
  b.histogram("queue_wait_seconds", "How long events waited in the event queue", core.queue_wait);
  b.gauge("commands_waiting", "What threads have handed to the loop and it has not taken yet",
          static_cast<double>(from.commands_waiting));
}

void add_loop(Builder& b, const MetricSources& from) {
  b.histogram("loop_lag_seconds", "Stretches in which the loop did not look at the network", from.meters.lag);
  b.gauge("loop_lag_max_seconds", "The longest of them since the start", seconds(from.stats.loop_lag_max));
}

void add_lock(Builder& b, const MetricSources& from) {
  static constexpr std::array kHolders = {"joining", "quorum", "redistribution", "user"};
  const auto& core = from.meters.core;
  b.gauge("locked", "1 while what users ask for waits", from.cluster.locked ? 1 : 0);
  b.begin(MetricKind::gauge, "lock_holders", "Who holds the lock of the event queue");
  for (std::size_t i = 0; i < kHolders.size(); ++i) b.add("holder", kHolders.at(i), core.lock_holders.at(i));
  b.gauge("lock_age_seconds", "How long the oldest of them has held it", seconds(core.lock_age));
  b.counter("locks_freed_total", "Locks freed because they were held too long", core.locks_freed);
}

void add_membership(Builder& b, const MetricSources& from) {
  constexpr std::array kStates = {NodeState::joining,  NodeState::up,      NodeState::suspect,
                                  NodeState::indirect, NodeState::leaving, NodeState::down};
  b.begin(MetricKind::gauge, "members", "Nodes as this node sees them, itself included");
  for (const auto state : kStates) {
    std::uint64_t count = 0;
    for (const auto& node : from.cluster.nodes) count += node.state == state ? 1 : 0;
    b.add("state", to_string(state), count);
  }
  b.begin(MetricKind::counter, "member_changes_total", "What became of other nodes");
  b.add("change", "up", from.meters.core.members_up);
  b.add("change", "down", from.meters.core.members_down);
  b.add("change", "left", from.meters.core.members_left);
}

void add_registry(Builder& b, const MetricSources& from) {
  b.begin(MetricKind::gauge, "children", "Children in the registry: on this node, and in all");
  b.add("scope", "local", from.cluster.children_local);
  b.add("scope", "total", from.cluster.children_total);
  b.gauge("children_waiting", "Children that this node cannot place yet",
          static_cast<double>(from.meters.core.children_waiting));
  b.gauge("registry_digest", "53 bits of the digest; equal on all nodes of a quiet cluster",
          comparable(from.cluster.digest));
}

void add_moves(Builder& b, const MetricSources& from) {
  const auto& core = from.meters.core;
  b.begin(MetricKind::gauge, "moves_running", "Children on their way to this node and from it");
  b.add("direction", "in", core.moves_in);
  b.add("direction", "out", core.moves_out);
  b.begin(MetricKind::counter, "moves_total",
          "Children that moved here, that were taken over from a lost node, and moves that were undone");
  b.add("result", "moved_here", core.moved_here);
  b.add("result", "taken_over", core.taken_over);
  b.add("result", "undone", core.moves_undone);
  b.histogram("move_seconds", "From the first request for a child to its start here", core.move_time);
}

/// Every code of which there is one, and success.
void add_codes(Builder& b, const char* label, const CountByCode& counts) {
  for (std::size_t code = 1; code < CountByCode::kCodes; ++code) {
    if (counts.counts.at(code) > 0)
      b.add(label, to_string(static_cast<ErrorCode>(code)), counts.counts.at(code));
  }
}

void add_calls(Builder& b, const MetricSources& from) {
  const auto& core = from.meters.core;
  b.gauge("calls_open", "Calls through the loop without an answer", static_cast<double>(core.calls_open));
  b.begin(MetricKind::counter, "calls_total", "Calls through the loop by how they ended");
  b.add("result", "ok", core.calls_ended.counts[0]);
  add_codes(b, "result", core.calls_ended);
  b.histogram("call_seconds",
              "Calls through the loop from there to their end; calls that a thread hands to a worker "
              "of the same process are not among them",
              core.call_time);
  b.gauge("messages_held", "Messages that wait for a child in transit",
          static_cast<double>(core.messages_held));
}

void add_mailboxes(Builder& b, const MetricSources& from) {
  b.gauge("mailbox_waiting", "Messages in all mailboxes of this node",
          static_cast<double>(from.load.waiting));
  b.gauge("mailbox_largest", "Messages in the fullest mailbox", static_cast<double>(from.load.largest));
  b.gauge("mailbox_limit", "Messages that a mailbox takes", from.config.mailbox_limit);
}

void add_drops(Builder& b, const MetricSources& from) {
  const auto& stats = from.stats;
  b.begin(MetricKind::counter, "dead_letters_total", "Messages without an answer that no worker got");
  std::uint64_t at_core = 0;
  for (const auto count : from.meters.core.dead_letters.counts) at_core += count;
  add_codes(b, "reason", from.meters.core.dead_letters);
  b.add("reason", "worker", stats.dead_letters - at_core);
  b.begin(MetricKind::counter, "drops_total", "What was dropped or refused, by reason");
  b.add("reason", "dead_letter", stats.dead_letters);
  b.add("reason", "mailbox_full", from.workers.mailbox_full);
  b.add("reason", "send_refused", stats.send_refusals);
  b.add("reason", "bad_frame", stats.bad_frames);
  b.add("reason", "log_line", Logger::dropped());
}

void add_links(Builder& b, const MetricSources& from) {
  const auto& stats = from.stats;
  b.begin(MetricKind::counter, "messages_total", "Messages between nodes");
  b.add("direction", "in", stats.messages_in);
  b.add("direction", "out", stats.messages_out);
  b.add("direction", "published", stats.published);
  b.counter("gaps_total", "Publications found missing and repaired", stats.gaps);
  b.counter("resends_total", "Frames sent again because no acknowledgement came", stats.resends);
}

void add_executor(Builder& b, const MetricSources& from) {
  b.gauge("workers", "Workers on this node", static_cast<double>(from.load.workers));
  b.gauge("workers_passivated", "Of these, without an object until the next message",
          static_cast<double>(from.load.passivated));
  b.gauge("pool_threads", "Threads for pooled workers", from.load.threads);
  b.gauge("pool_busy", "Of these, in a worker's code", from.load.busy);
  b.counter("turns_total", "Turns of workers", from.workers.turns);
  b.counter("handled_total", "Messages handled by workers", from.workers.handled);
  b.counter("worker_crashes_total", "Workers that ended by an exception", from.stats.worker_crashes);
  b.counter("workers_stuck_total", "Handlers on pool threads that took over a second, and workers given up",
            from.workers.stuck);
  b.counter("inline_overruns_total", "Inline handlers that took longer than inline_limit",
            from.workers.slow_inline);
}

}  // namespace

Metrics make_metrics(const MetricSources& from) {
  Builder b;
  add_hub(b, from);
  add_queue(b, from);
  add_loop(b, from);
  add_lock(b, from);
  add_membership(b, from);
  add_registry(b, from);
  add_moves(b, from);
  add_calls(b, from);
  add_mailboxes(b, from);
  add_drops(b, from);
  add_links(b, from);
  add_executor(b, from);
  auto out = b.take();
  out.fullest = from.load.largest_id;
  return out;
}

}  // namespace processhub::runtime
