#include "transport/sim/planned_checks.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

#include "transport/sim/plan_player.hpp"
#include "transport/sim/sim_describe.hpp"

namespace processhub::sim {
namespace {

/// A message may have to wait for a node that boots (2 s), and for a move.
constexpr Duration kPatience{4'000'000};
constexpr std::uint64_t kProbeNumbers = 1'000'000'000;  // far above those of a plan
constexpr Duration kProbeTimeout{15'000'000};           // longer than a handler may still hang
constexpr std::size_t kProbedChildren = 4;

using Count = std::map<std::uint64_t, int>;

Count handled(const SimCluster& cluster) {
  Count out;
  for (const auto& entry : cluster.workers().handled) ++out[entry.number];
  return out;
}

/// The child was started once, before this operation, and nobody stopped it before the operation was over.
bool there_all_the_time(const SimCluster& cluster, const Operation& op) {
  const auto& id = op.ids.front();
  int starts = 0;
  bool before = false;
  for (const auto& other : cluster.operations()) {
    if (!other.touches(id)) continue;
    if (other.kind == OpKind::stop) {
      if (other.issued <= op.issued + kPatience) return false;
      continue;
    }
    ++starts;
    const bool well = std::any_of(other.started.children.begin(), other.started.children.end(),
                                  [&](const ChildStarted& child) { return child.id == id && !child.error; });
    before = before || (other.ok() && !other.started.rolled_back && well && other.completed < op.issued);
  }
  return starts == 1 && before;
}

/// The node that was asked did not leave before an answer could come.
bool origin_stays(const SimCluster& cluster, const Operation& op) {
  return std::none_of(cluster.operations().begin(), cluster.operations().end(), [&](const Operation& other) {
    return other.kind == OpKind::leave && other.node == op.node && other.issued <= op.issued + kPatience;
  });
}

std::optional<std::string> lost(const SimCluster& cluster, const Operation& op, const Count& count) {
  const auto name =
      fmt::format("{} #{} to {} from {}", to_string(op.kind), op.number, op.ids.front(), op.node.str());
  const auto found = count.find(op.message);
  if (op.kind == OpKind::cast) {
    if (cluster.now() < op.issued + kPatience || found != count.end()) return {};
    return name + " was lost";
  }
  if (op.timeout < kPatience || op.ok() || (op.error && op.error->code == ErrorCode::no_reply)) return {};
  return fmt::format("{} ended {}", name, op.error ? describe(*op.error) : "never");
}

/// A start and a stop on every node: at rest both are confirmed as they must be.
std::optional<Violation> probe_requests(SimCluster& cluster) {
  std::vector<const Operation*> asked;
  const auto wait = [&] {
    cluster.run_until(
        [&] { return std::all_of(asked.begin(), asked.end(), [](const auto* op) { return op->done(); }); },
        kProbeTimeout);
  };
  for (const auto* node : cluster.running_nodes()) {
    ChildSpec spec;
    spec.id = "probe-" + node->name();
    spec.type = "counter";
    std::vector<ChildSpec> specs{std::move(spec)};
    guide(cluster, specs);
    asked.push_back(&cluster.start(node->name(), std::move(specs)));
  }
  wait();
  for (const auto* node : cluster.running_nodes())
    asked.push_back(&cluster.stop(node->name(), protocol::event::Select::ids, {"probe-" + node->name()}));
  wait();
  for (const auto* op : asked) {
    const bool well =
        op->ok() && op->started.status == CallStatus::ok && op->stopped.status == CallStatus::ok;
    if (well || !cluster.violations().empty()) continue;
    return Violation{
        cluster.now(), "I3",
        fmt::format("at rest, {} of {} on {} ended {}", to_string(op->kind), op->ids.front(), op->node.str(),
                    op->error                   ? describe(*op->error)
                    : !op->done()               ? "never"
                    : op->kind == OpKind::start ? describe(op->started)
                                                : describe(op->stopped))};
  }
  return {};
}

/// Without a quorum every start is refused at once.
std::optional<Violation> probe_without_quorum(SimCluster& cluster) {
  for (const auto* node : cluster.running_nodes()) {
    ChildSpec spec;
    spec.id = "probe-" + node->name();
    spec.type = "counter";
    const auto& op = cluster.start(node->name(), {std::move(spec)});
    cluster.run_until([&] { return op.done(); }, Duration(1'000'000));
    if (op.error && op.error->code == ErrorCode::partitioned) continue;
    return Violation{cluster.now(), "I8",
                     fmt::format("without a quorum a start on {} ended {}", op.node.str(),
                                 op.error    ? describe(*op.error)
                                 : op.done() ? "well"
                                             : "never")};
  }
  return {};
}

/// A child that was started once and never stopped is there, whatever its restart says: its node never died.
std::optional<Violation> child_lost(const SimCluster& cluster, const Operation& start) {
  const auto running = cluster.running_nodes();
  if (running.empty() || !start.ok() || start.started.rolled_back) return {};
  for (const auto& child : start.started.children) {
    const auto touching = std::count_if(cluster.operations().begin(), cluster.operations().end(),
                                        [&](const Operation& op) { return op.touches(child.id); });
    if (child.error || touching > 1 || running.front()->registry().contains(child.id)) continue;
    return Violation{cluster.now(), "I7",
                     fmt::format("{} of start #{} is gone, though nothing but planned changes happened",
                                 child.id, start.number)};
  }
  return {};
}

/// I5: with hot swap a child holds what all its workers together were told to add, wherever it has been.
std::optional<Violation> state_lost(const SimCluster& cluster) {
  const auto& config = cluster.config();
  if (config.migration.name != "hot_swap" || config.redundancy.name != "singularity") return {};
  // A node without a quorum stops its children: what they held is gone, and they begin anew elsewhere.
  if (config.partition_tolerance.name != "divergence") return {};
  struct Sum {
    std::int64_t began = 0;
    std::int64_t added = 0;
  };
  std::map<Uid, Sum> sums;
  for (const auto& a : cluster.workers().activations) {
    auto& sum = sums.try_emplace(a.uid, Sum{a.total - a.added, 0}).first->second;
    sum.added += a.added;
  }
  for (const auto& a : cluster.workers().activations) {
    const auto& sum = sums.at(a.uid);
    if (!a.live() || a.role == Role::none || a.total == sum.began + sum.added) continue;
    return Violation{cluster.now(), "I5",
                     fmt::format("{} holds {} on {} (worker {}), but began with {} and was told to add {}",
                                 a.id, a.total, a.node.str(), a.serial, sum.began, sum.added)};
  }
  return {};
}

/// Messages of one node to one child are handled in the order they were sent in, wherever the child has been.
std::optional<Violation> overtaken(const SimCluster& cluster) {
  if (cluster.config().redundancy.name != "singularity") return {};
  const auto& log = cluster.workers().handled;
  std::map<std::uint64_t, std::size_t> places;
  for (std::size_t i = 0; i < log.size(); ++i) places.emplace(log[i].number, i);
  std::map<std::pair<NodeId, Uid>, std::pair<std::size_t, std::size_t>> lasts;  // place, operation
  for (const auto& op : cluster.operations()) {
    const auto place = op.message == 0 ? places.end() : places.find(op.message);
    if (place == places.end()) continue;
    const auto& worker = cluster.workers().activations[log[place->second].activation];
    const auto [last, fresh] = lasts.try_emplace({op.node, worker.uid}, place->second, op.number);
    if (!fresh && place->second < last->second.first)
      return Violation{
          cluster.now(), "I7",
          fmt::format("{} #{} of {} to {} overtook #{}, though nothing but planned changes happened",
                      to_string(op.kind), op.number, op.node.str(), op.ids.front(), last->second.second)};
    last->second = {place->second, op.number};
  }
  return {};
}

/// A bad network and workers that start slowly, of which nobody may notice anything: sessions and pulls mend
/// it.
bool go_unnoticed(Faults faults) {
  if (faults.loss > 0.02 || faults.pub_loss > 0.05 || faults.delay_max > Duration(5'000)) return false;
  faults.loss = faults.duplicate = faults.reorder = faults.pub_loss = 0;
  faults.delay_max = Faults().delay_max;
  faults.worker_start_max = Faults().worker_start_max;
  return faults.str().empty();
}

}  // namespace

bool only_planned(const Plan& plan) {
  if (!go_unnoticed(plan.faults)) return false;
  const std::set<std::string> allowed{"boot",        "leave",    "restart",  "start",     "stop",
                                      "stop_prefix", "stop_tag", "metadata", "broadcast", "call",
                                      "cast",        "dispatch", "client",   "migrate"};
  return std::all_of(plan.actions.begin(), plan.actions.end(),
                     [&](const PlannedAction& action) { return allowed.contains(action.words.front()); });
}

std::optional<Violation> planned_problem(const SimCluster& cluster) {
  for (const auto& op : cluster.operations()) {
    if (op.kind != OpKind::start) continue;
    if (auto wrong = child_lost(cluster, op)) return wrong;
  }
  if (auto wrong = state_lost(cluster)) return wrong;
  if (auto wrong = overtaken(cluster)) return wrong;
  const auto count = handled(cluster);
  for (const auto& op : cluster.operations()) {
    // A node that has not met the others yet knows of no child.
    const bool message = op.message != 0 && op.message < kProbeNumbers && op.known;
    if (!message || !there_all_the_time(cluster, op) || !origin_stays(cluster, op)) continue;
    if (auto what = lost(cluster, op, count))
      return Violation{cluster.now(), "I7", *what + ", though nothing but planned changes happened"};
  }
  return {};
}

std::optional<Violation> probe_at_rest(SimCluster& cluster) {
  // A start that is still open may be undone at its deadline, and its children with it.
  cluster.run_until(
      [&] {
        return std::all_of(cluster.operations().begin(), cluster.operations().end(),
                           [](const auto& op) { return op.token == 0 || op.done() || op.node_lost; });
      },
      kProbeTimeout);
  const auto running = cluster.running_nodes();
  if (!running.empty() && running.front()->cluster().partitioned) return probe_without_quorum(cluster);
  if (auto wrong = probe_requests(cluster)) return wrong;
  std::vector<const Operation*> sent;
  std::uint64_t number = kProbeNumbers;
  for (const auto* node : cluster.running_nodes()) {
    std::vector<std::string> ids;
    for (const auto& [id, record] : node->registry()) {
      const bool runs =
          !record->instances.empty() && record->instances.front().state == InstanceState::running;
      if (runs && !id.starts_with("probe-")) ids.push_back(id);
    }
    const auto step = std::max<std::size_t>(1, ids.size() / kProbedChildren);
    for (std::size_t i = 0; i < ids.size(); i += step) {
      for (int k = 0; k < 2; ++k)
        sent.push_back(&cluster.cast(node->name(), ids[i], "add", fmt::format("1 #{}", ++number)));
      sent.push_back(
          &cluster.call(node->name(), ids[i], "add", fmt::format("1 #{}", ++number), kProbeTimeout));
    }
  }
  // A call comes behind the casts of its node to the same child: when all are answered, all has been handled.
  cluster.run_until(
      [&] {
        return std::all_of(sent.begin(), sent.end(),
                           [](const auto* op) { return op->token == 0 || op->done(); });
      },
      kProbeTimeout + Duration(1'000'000));
  if (!cluster.violations().empty()) return {};
  const auto count = handled(cluster);
  for (const auto* op : sent) {
    const bool well = count.contains(op->message) && (op->token == 0 || op->ok());
    if (well) continue;
    return Violation{cluster.now(), op->token == 0 ? "I7" : "I6",
                     fmt::format("at rest, {} to {} from {} {}", to_string(op->kind), op->ids.front(),
                                 op->node.str(), op->error ? "ended " + describe(*op->error) : "was lost")};
  }
  return {};
}

}  // namespace processhub::sim
