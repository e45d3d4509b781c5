#include "transport/sim/quiet_checks.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace processhub::sim {
namespace {

constexpr Duration kLookEvery{50'000};
constexpr Duration kLookAgain{250'000};  // to look costs more when nothing is found

std::string names(const std::vector<NodeId>& nodes) {
  std::vector<std::string> out;
  for (const auto node : nodes) out.push_back(node.str());
  return fmt::format("[{}]", fmt::join(out, " "));
}

std::vector<NodeId> ids_of(const std::vector<const SimNode*>& component) {
  std::vector<NodeId> out;
  for (const auto* node : component) out.push_back(node->id());
  std::sort(out.begin(), out.end());
  return out;
}

bool is_failed(const protocol::ChildRecord& record) {
  return std::any_of(record.instances.begin(), record.instances.end(),
                     [](const Instance& i) { return i.state == InstanceState::failed; });
}

}  // namespace

std::vector<std::vector<const SimNode*>> components(SimCluster& cluster) {
  auto left = cluster.running_nodes();
  std::vector<std::vector<const SimNode*>> out;
  const auto joined = [&](const SimNode* a, const SimNode* b) {
    return !cluster.network().is_cut(a->host(), b->host()) && !cluster.network().is_cut(b->host(), a->host());
  };
  while (!left.empty()) {
    std::vector<const SimNode*> component{left.front()};
    left.erase(left.begin());
    for (std::size_t i = 0; i < component.size(); ++i) {
      const auto* from = component[i];
      const auto end =
          std::stable_partition(left.begin(), left.end(), [&](const SimNode* n) { return !joined(from, n); });
      component.insert(component.end(), end, left.end());
      left.erase(end, left.end());
    }
    std::sort(component.begin(), component.end(),
              [](const auto* a, const auto* b) { return a->name() < b->name(); });
    out.push_back(std::move(component));
  }
  return out;
}

QuietChecks::QuietChecks(SimCluster& cluster, SafetyChecks& safety)
    : cluster_(cluster), safety_(safety), oracle_(cluster.config(), cluster.strategies()) {}

Violation QuietChecks::broken(std::string invariant, std::string what) const {
  return {cluster_.now(), std::move(invariant), std::move(what)};
}

std::optional<Violation> QuietChecks::problem() {
  for (const auto& component : components(cluster_)) {
    if (auto found = check_views(component)) return found;
    if (auto found = check_quorum(component)) return found;
    if (auto found = check_registries(component)) return found;
    if (auto found = check_instances(component)) return found;
    if (auto found = check_locks(component)) return found;
  }
  if (auto open = safety_.open_hooks(); !open.empty()) return broken("I8", "open hooks: " + open);
  return {};
}

std::optional<Violation> QuietChecks::wait(Duration limit, Duration steady) {
  const auto begin = cluster_.now();
  auto good_since = kNever;
  while (true) {
    safety_.check_overdue();
    if (!cluster_.violations().empty()) return cluster_.violations().front();
    const auto now = cluster_.now();
    auto found = problem();
    if (found) {
      good_since = kNever;
      if (now - begin >= limit) return found;
    } else if (good_since == kNever) {
      good_since = now;
    }
    if (good_since != kNever && now - good_since >= steady) break;
    cluster_.run_for(found ? kLookEvery : kLookAgain);
  }
  settled_after_ = good_since - begin;
  return {};
}

bool QuietChecks::settle(Duration limit, Duration steady) {
  const auto found = wait(limit, steady);
  if (!found) return true;
  if (cluster_.violations().empty()) {
    cluster_.report(found->invariant, fmt::format("not quiet {} after the last fault: {}",
                                                  format_duration(limit), found->what));
  }
  return false;
}

bool QuietChecks::out_of_reach(const SimNode& node, NodeId other) {
  const auto* to = cluster_.find(other);
  const auto& network = cluster_.network();
  return to != nullptr &&
         (network.is_cut(node.host(), to->host()) || network.is_cut(to->host(), node.host()));
}

std::optional<Violation> QuietChecks::check_views(const Component& component) {
  const auto members = ids_of(component);
  for (const auto* node : component) {
    if (node->life() == NodeLife::paused) return broken("I2", node->id().str() + " is paused");
  }
  for (const auto* node : component) {
    if (!node->cluster().joined) return broken("I2", node->id().str() + " has not joined");
    if (node->believed_up() != members) {
      return broken("I2", fmt::format("{} believes up {} but its component is {}", node->id().str(),
                                      names(node->believed_up()), names(members)));
    }
    for (const auto& other : node->cluster().nodes) {
      if (other.state == NodeState::indirect && out_of_reach(*node, other.id)) continue;
      if (other.state != NodeState::up && other.state != NodeState::down && other.state != NodeState::left) {
        return broken("I2", fmt::format("{} still holds {} as {}", node->id().str(), other.id.str(),
                                        to_string(other.state)));
      }
    }
    if (!node->workers().gates_open()) return broken("I1", node->id().str() + " keeps its gates closed");
  }
  return {};
}

/// All know the same seats, and say of their quorum what follows from them.
std::optional<Violation> QuietChecks::check_quorum(const Component& component) {
  has_quorum_ = true;
  const auto plan = oracle_.quorum_plan();
  if (plan.lease == Duration(0)) return {};
  const auto* first = component.front();
  const auto seats = first->view().seats;
  QuorumView view{first->id(), component.size(), !seats.empty(), seats.size(), 0};
  for (const auto* node : component) {
    if (node->view().seats != seats)
      return broken("I2",
                    fmt::format("{} counts the seats [{}], {} [{}]", first->id().str(), fmt::join(seats, " "),
                                node->id().str(), fmt::join(node->view().seats, " ")));
    view.seated += static_cast<std::size_t>(std::count_if(
        seats.begin(), seats.end(), [&](const std::string& seat) { return is_seat_of(seat, node->id()); }));
  }
  has_quorum_ = (plan.count_seats ? view.seated : view.present) >= oracle_.needed(view);
  for (const auto* node : component) {
    if (node->cluster().partitioned != has_quorum_) continue;
    return broken("I8", fmt::format("{} says it is {}partitioned, with {} of {} seats in a component of {}",
                                    node->id().str(), has_quorum_ ? "" : "not ", view.seated, view.seats,
                                    view.present));
  }
  return {};
}

namespace {

using Rows = std::map<std::string, std::shared_ptr<const protocol::ChildRecord>>;

bool same_children(const Rows& a, const Rows& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return one.second->uid == other.second->uid && one.first == other.first;
  });
}

}  // namespace

std::optional<Violation> QuietChecks::check_registries(const Component& component) {
  const auto* first = component.front();
  for (const auto* node : component) {
    if (node->cluster().digest != first->cluster().digest) {
      return broken("I2", fmt::format("digests differ: {} {:x}, {} {:x}", first->id().str(),
                                      first->cluster().digest, node->id().str(), node->cluster().digest));
    }
    if (same_children(first->registry(), node->registry())) continue;
    for (const auto& [id, record] : first->registry()) {
      auto found = node->registry().find(id);
      if (found == node->registry().end()) {
        return broken("I2", fmt::format("{} lists {}, {} does not", first->id().str(), id, node->id().str()));
      }
      if (found->second->uid != record->uid) {
        return broken("I2", fmt::format("{} knows {} as {}, {} as {}", first->id().str(), id,
                                        record->uid.str(), node->id().str(), found->second->uid.str()));
      }
    }
    for (const auto& [id, record] : node->registry()) {
      if (!first->registry().contains(id)) {
        return broken("I2", fmt::format("{} lists {}, {} does not", node->id().str(), id, first->id().str()));
      }
    }
  }
  return {};
}

void QuietChecks::prepare_owners(const Component& component) {
  std::vector<OwnerNode> members;
  for (const auto* node : component) {
    const auto& known = node->cluster().nodes;
    const bool drained = std::any_of(known.begin(), known.end(), [&](const NodeInfo& info) {
      return info.id == node->id() && info.state == NodeState::leaving;
    });
    if (drained) continue;  // by hand: it is a member and owns nothing
    members.push_back({node->id(), node->config().weight, node->config().zone, node->config().roles});
  }
  oracle_.set_members(members);
}

void QuietChecks::find_workers(const Component& component) {
  workers_.clear();
  for (const auto* node : component)
    node->workers().each([&](const Activation& a, bool up) { workers_[a.id].emplace_back(&a, up); });
}

const std::vector<std::pair<const Activation*, bool>>& QuietChecks::workers_of(const std::string& id) const {
  static const std::vector<std::pair<const Activation*, bool>> none;
  const auto found = workers_.find(id);
  return found == workers_.end() ? none : found->second;
}

std::optional<Violation> QuietChecks::check_instances(const Component& component) {
  prepare_owners(component);
  find_workers(component);
  const auto& registry = component.front()->registry();
  std::vector<Rows::const_iterator> rows;  // one of each node, all at the same child: they know the same ones
  for (const auto* node : component) rows.push_back(node->registry().begin());
  std::vector<const protocol::ChildRecord*> records(component.size());
  for (std::size_t child = 0; child < registry.size(); ++child) {
    for (std::size_t at = 0; at < rows.size(); ++at) records[at] = (rows[at]++)->second.get();
    if (auto found = check_child(component, records)) return found;
  }
  for (const auto* node : component) {
    std::optional<Violation> stray;
    node->workers().each([&](const Activation& a, bool) {
      if (!stray && !registry.contains(a.id)) {
        stray = broken("I1", fmt::format("{} runs {} (worker {}, {}), which is in no registry",
                                         node->id().str(), a.id, a.serial, a.generation.str()));
      }
    });
    if (stray) return stray;
  }
  return {};
}

std::optional<Violation> QuietChecks::check_child(const Component& component, const Records& records) {
  const auto& record = *records.front();
  const auto& id = record.spec->id;
  std::vector<NodeId> running;
  for (const auto& [activation, up] : workers_of(id)) running.push_back(activation->node);
  if (is_failed(record)) {
    if (!running.empty()) return broken("I1", fmt::format("{} is failed but runs on {}", id, names(running)));
    return {};
  }
  // A temporary child does not outlive its node; its id goes once that life of the node cannot come back.
  if (record.spec->kind->restart == Restart::temporary && record.instances.empty() && running.empty())
    return {};
  auto owners = has_quorum_ ? oracle_.owners(record) : std::vector<NodeId>();
  auto sorted = owners;
  std::sort(sorted.begin(), sorted.end());
  if (running != sorted) {
    return broken("I1", fmt::format("{} belongs on {} but runs on {}", id, names(sorted), names(running)));
  }
  const auto roles = oracle_.roles(id, owners);
  for (const auto& [activation, up] : workers_of(id)) {
    const auto at = std::find(owners.begin(), owners.end(), activation->node) - owners.begin();
    const auto wanted = roles[static_cast<std::size_t>(at)];
    if (activation->role != wanted) {
      return broken("I4", fmt::format("{} is {} on {}, which should be {}", id, to_string(activation->role),
                                      activation->node.str(), to_string(wanted)));
    }
  }
  return check_listing(component, records, owners.size());
}

/// Every node lists exactly the workers that run, with their role and generation.
std::optional<Violation> QuietChecks::check_listing(const Component& component, const Records& records,
                                                    std::size_t owners) {
  const auto& id = records.front()->spec->id;
  const auto& workers = workers_of(id);
  for (std::size_t at = 0; at < component.size(); ++at) {
    const auto& by = component[at]->id();
    const auto& instances = records[at]->instances;
    for (const auto& i : instances) {
      const bool runs = std::any_of(workers.begin(), workers.end(), [&i](const auto& worker) {
        const auto& [a, up] = worker;
        return up && a->node == i.ref.node && a->serial == i.ref.serial && a->generation == i.generation &&
               a->role == i.role;
      });
      if (runs && i.state == InstanceState::running) continue;
      return broken("I2",
                    fmt::format("{} lists {} on {} worker {} as {} {}, which is not so", by.str(), id,
                                i.ref.node.str(), i.ref.serial, to_string(i.state), i.generation.str()));
    }
    if (instances.size() == owners) continue;
    return broken(
        "I2", fmt::format("{} lists {} instances of {} but {} run", by.str(), instances.size(), id, owners));
  }
  return {};
}

std::optional<Violation> QuietChecks::check_locks(const Component& component) {
  for (const auto* node : component) {
    if (node->cluster().locked == has_quorum_)
      return broken("I8", node->id().str() + (has_quorum_ ? " is still locked" : " is not locked"));
  }
  return {};
}

/// Another operation on the same id that may have changed its fate. A stop removes what its node had seen:
/// with one start that was over before the stop was asked for, that is all there is.
bool QuietChecks::touched_otherwise(const Acknowledged& fact) const {
  const auto& own = cluster_.operations()[fact.operation - 1];
  int starts_before = 0;
  for (const auto& op : cluster_.operations()) {
    if (op.number == fact.operation || !op.touches(fact.id)) continue;
    const bool start_before = op.kind == OpKind::start && op.done() && op.completed < own.issued;
    if (fact.start || !start_before || ++starts_before > 1) return true;
  }
  return false;
}

/// Its worker asked for the child's removal.
bool QuietChecks::ended_itself(const Acknowledged& fact) const {
  const auto& all = cluster_.workers().activations;
  return std::any_of(all.begin(), all.end(), [&fact](const Activation& a) {
    return a.uid == fact.uid && !a.live() && a.exit == protocol::WorkerExit::stop_self;
  });
}

std::optional<Violation> QuietChecks::lost_fact() {
  const auto running = cluster_.running_nodes();
  if (running.empty()) return {};
  const auto& registry = running.front()->registry();
  for (const auto& fact : safety_.acknowledged()) {
    const bool remembered = std::any_of(fact.holders.begin(), fact.holders.end(),
                                        [this](NodeId node) { return cluster_.find(node) != nullptr; });
    if (!remembered || touched_otherwise(fact)) continue;
    auto found = registry.find(fact.id);
    if (fact.start && found == registry.end() && !ended_itself(fact)) {
      return broken("I3", fmt::format("{} was acknowledged as started (#{}, {}) and is gone", fact.id,
                                      fact.operation, fact.uid.str()));
    }
    if (!fact.start && found != registry.end()) {
      return broken("I3", fmt::format("{} was acknowledged as stopped (#{}) and lives as {}", fact.id,
                                      fact.operation, found->second->uid.str()));
    }
  }
  return {};
}

}  // namespace processhub::sim
