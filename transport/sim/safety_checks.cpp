#include "transport/sim/safety_checks.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "transport/sim/sim_describe.hpp"

namespace processhub::sim {

using namespace protocol;

SafetyChecks::SafetyChecks(SimCluster& cluster)
    : cluster_(cluster), oracle_(cluster.config(), cluster.strategies()), hooks_(cluster), quorum_(cluster) {
  cluster.observe(*this);
}

void SafetyChecks::on_effect(const SimNode& node, const Effect& effect) {
  if (const auto* start = std::get_if<effect::StartWorker>(&effect)) {
    on_start_worker(node, *start);
  } else if (const auto* change = std::get_if<effect::SetRole>(&effect)) {
    on_set_role(node, *change);
  } else if (const auto* merge = std::get_if<effect::MergeState>(&effect)) {
    if (!merged_.insert({node.id(), merge->serial, merge->loser}).second)
      cluster_.report("I5", fmt::format("{} merges {} twice into worker {}", node.id().str(),
                                        merge->loser.str(), merge->serial));
  } else if (const auto* resume = std::get_if<effect::ResumeWorker>(&effect)) {
    on_resume(node, *resume);
  } else if (const auto* hook = std::get_if<effect::RunHook>(&effect)) {
    hooks_.on_hook(node, hook->event);
  } else if (const auto* log = std::get_if<effect::Log>(&effect)) {
    // Users forget locks; the hub must not, unless its own clock stood still or jumped meanwhile.
    if (!node.lost_time() && log->text.find("held too long: redistribution") != std::string::npos)
      cluster_.report("I8", fmt::format("{} {}", node.id().str(), log->text));
  } else if (const auto* stop = std::get_if<effect::StopWorker>(&effect)) {
    if (!serials_[node.id()].contains(stop->serial)) {
      cluster_.report("I4",
                      fmt::format("{} stops worker {} that it never started", node.id().str(), stop->serial));
    }
  }
}

void SafetyChecks::on_turn(const SimNode& node) {
  settle_acknowledged(node);
  quorum_.on_turn(node);
}

void SafetyChecks::on_note(const std::string&) { quorum_.on_world_changed(); }

void SafetyChecks::on_life(const SimNode& node) {
  quorum_.on_world_changed();
  if (node.running()) return;
  hooks_.forget(node.id());
}

// -- I4

void SafetyChecks::on_start_worker(const SimNode& node, const effect::StartWorker& start) {
  if (!serials_[node.id()].insert(start.serial).second) {
    cluster_.report("I4", fmt::format("{} uses worker serial {} again", node.id().str(), start.serial));
  }
  if (start.prepare) return;  // it is none before it is resumed
  check_generation(node, start);
  hooks_.on_start_worker(node, start);
  // A restart in place is the instance that was there already, perhaps one that a healed cut has yet to end.
  if (start.role == Role::active && start.reason != StartReason::restart) check_agreed_view(node, start);
}

/// So is a prepared worker that is told to run, or a frozen one that goes on.
void SafetyChecks::on_resume(const SimNode& node, const effect::ResumeWorker& resume) {
  node.workers().each([&](const Activation& a, bool) {
    if (a.serial != resume.serial) return;
    effect::SetRole as_role{resume.serial, resume.generation, a.meant, false};
    check_activation(node, a, as_role);
  });
}

/// A promotion is an activation like a start.
void SafetyChecks::on_set_role(const SimNode& node, const effect::SetRole& change) {
  const Activation* known = nullptr;
  node.workers().each([&](const Activation& a, bool) {
    if (a.serial == change.serial) known = &a;
  });
  if (known == nullptr) {
    if (serials_[node.id()].contains(change.serial)) return;  // it has just ended
    return cluster_.report("I4", fmt::format("{} gives worker {} a role, which it never started",
                                             node.id().str(), change.serial));
  }
  if (change.role == Role::active) check_activation(node, *known, change);
}

void SafetyChecks::check_activation(const SimNode& node, const Activation& known,
                                    const effect::SetRole& change) {
  effect::StartWorker as_start;
  ChildSpec spec;
  spec.id = known.id;
  as_start.spec = std::make_shared<const SharedSpec>(std::move(spec));
  as_start.uid = known.uid;
  as_start.serial = change.serial;
  as_start.generation = change.generation;
  as_start.role = change.role;
  check_generation(node, as_start);
  if (change.role == Role::active) check_agreed_view(node, as_start);
}

void SafetyChecks::check_generation(const SimNode& node, const effect::StartWorker& start) {
  auto [first, fresh] =
      generations_.emplace(std::pair(start.uid, start.generation), std::pair(node.id(), start.serial));
  if (fresh || first->second == std::pair(node.id(), start.serial)) return;
  cluster_.report(
      "I4", fmt::format("{} {} is activated twice as {}: worker {} of {} and worker {} of {}", start.spec->id,
                        start.uid.str(), start.generation.str(), first->second.second,
                        first->second.first.str(), start.serial, node.id().str()));
}

void SafetyChecks::check_agreed_view(const SimNode& node, const effect::StartWorker& start) {
  const auto view = node.view();
  if (!view.agreed || !oracle_.one_active()) return;
  for (const auto member : view.members) {
    const auto* other = cluster_.find(member);
    if (other == nullptr || !other->workers().gates_open()) continue;
    if (other != &node && (!other->view().agreed || other->view().members != view.members)) continue;
    other->workers().each([&](const Activation& running, bool) {
      const bool itself = other == &node && running.serial == start.serial;
      if (itself || running.uid != start.uid || running.role != Role::active) return;
      cluster_.report(
          "I4",
          fmt::format("{} starts {} {} as {} while {} runs it as {} (worker {}) in the same agreed view",
                      node.id().str(), start.spec->id, start.uid.str(), start.generation.str(),
                      other->id().str(), running.generation.str(), running.serial));
    });
  }
}

// -- I6

bool SafetyChecks::overdue(const Operation& op, Time when, Duration paused) const {
  auto limit = op.timeout.count() > 0 ? op.timeout : kUntimedLimit;
  if (op.kind == OpKind::leave) limit += kFarewell;
  return when > op.issued + limit + kAnswerSlack + (paused - op.paused_before);
}

void SafetyChecks::on_completed(const Operation& op) {
  if (overdue(op, op.completed, op.paused_after)) {
    cluster_.report("I6", fmt::format("{} #{} on {} was answered after {} (timeout {})", to_string(op.kind),
                                      op.number, op.node.str(), format_duration(op.completed - op.issued),
                                      format_duration(op.timeout)));
  }
  if (op.error) return;
  const auto keep = [&](const std::string& id, bool start) {
    unsettled_.push_back(acknowledged_.size());
    acknowledged_.push_back({op.number, id, start, {}, {}});
  };
  if (op.kind == OpKind::start && !op.started.rolled_back) {
    for (const auto& child : op.started.children) {
      if (!child.error && op.durable.contains(child.id)) keep(child.id, true);
    }
  } else if (op.kind == OpKind::stop) {
    for (const auto& child : op.stopped.children) {
      if (!child.error) keep(child.id, false);
    }
  }
}

void SafetyChecks::check_overdue() {
  for (const auto& op : cluster_.operations()) {
    if (op.done() || op.token == 0 || op.node_lost) continue;
    const auto* node = cluster_.find(op.node);
    const bool client = cluster_.has_client(op.node.name());
    if ((node == nullptr && !client) ||
        !overdue(op, cluster_.now(), client ? Duration::zero() : node->paused_for()))
      continue;
    cluster_.report("I6",
                    fmt::format("{} #{} [{}] on {} has no answer {} after it was asked (timeout {})",
                                to_string(op.kind), op.number, fmt::join(op.ids, " "), op.node.str(),
                                format_duration(cluster_.now() - op.issued), format_duration(op.timeout)));
    return;
  }
}

// -- I3

/// The answering node's registry is current at the end of its turn.
void SafetyChecks::settle_acknowledged(const SimNode& node) {
  std::erase_if(unsettled_, [&](std::size_t index) {
    auto& fact = acknowledged_[index];
    if (cluster_.operations()[fact.operation - 1].node != node.id()) return false;
    if (auto own = node.registry().find(fact.id); fact.start && own != node.registry().end())
      fact.uid = own->second->uid;
    fact.holders.insert(node.id());  // who says so must remember it
    for (const auto* other : cluster_.running_nodes()) {
      auto found = other->registry().find(fact.id);
      const bool knows = found != other->registry().end();
      // Who never listed a stopped child may not have heard of its start either: that is no memory of the
      // stop.
      const bool remembers =
          fact.start ? knows && found->second->uid == fact.uid : !knows && other->ever_listed(fact.id);
      if (remembers) fact.holders.insert(other->id());
    }
    check_copies(node, fact);
    return true;
  });
}

/// Who said yes to a start has it from as many others as it must: those that know it, did once, or are gone.
void SafetyChecks::check_copies(const SimNode& node, const Acknowledged& fact) {
  if (!fact.start || !fact.uid) return;
  // A node may learn of a start and of a stop in one turn; then nobody saw that it knew the child.
  const auto& all = cluster_.operations();
  const bool stopped = std::any_of(all.begin(), all.end(), [&](const Operation& op) {
    return op.kind == OpKind::stop && op.touches(fact.id);
  });
  if (stopped) return;
  std::size_t others = 0;
  std::size_t may_know = 0;
  for (const auto member : node.view().members) {
    if (member == node.id()) continue;
    ++others;
    const auto* other = cluster_.find(member);
    if (other == nullptr || fact.holders.contains(member) || other->ever_listed(fact.id)) ++may_know;
  }
  const auto needed = std::min<std::size_t>(others, node.config().spec_copies);
  if (may_know >= needed) return;
  cluster_.report("I3",
                  fmt::format("{} answered start #{} of {} though only {} of {} other nodes can know of it",
                              node.id().str(), fact.operation, fact.id, may_know, needed));
}

}  // namespace processhub::sim
