#include "transport/sim/hook_checks.hpp"

#include <fmt/format.h>

namespace processhub::sim {

namespace {

template <class Redistribution>
std::string redistribution(const Redistribution& e) {
  return fmt::format("redistribution for {} {}", e.cause.str(), e.joined ? "joining" : "leaving");
}

std::string start_of(const std::string& id) { return "start of " + id; }
std::string hand_over(const std::string& id, NodeId to) { return "move of " + id + " to " + to.str(); }

}  // namespace

/// What each hook says about the order of things; those without an overload stand alone.
struct HookChecks::Rule {
  HookChecks& to;
  const SimNode& node;

  void operator()(const hook::PreClusterJoin& e) const { once("join of " + e.node.str()); }
  void operator()(const hook::PostClusterJoin& e) const { to.end(node, "join of " + e.node.str()); }
  void operator()(const hook::PreClusterLeave& e) const { once("leave of " + e.node.str()); }
  void operator()(const hook::PostClusterLeave& e) const { to.end(node, "leave of " + e.node.str()); }
  void operator()(const hook::PreRedistribution& e) const { once(redistribution(e)); }
  void operator()(const hook::PostRedistribution& e) const { to.end(node, redistribution(e)); }
  void operator()(const hook::PreChildrenStart& e) const {
    for (const auto& id : e.ids) to.begin(node, start_of(id));
  }
  void operator()(const hook::ChildrenStarted& e) const {
    for (const auto& id : e.ids)
      if (!to.open_.contains({node.id(), start_of(id)})) to.broken(node, id + " started without pre-hook");
  }
  void operator()(const hook::PostChildrenStart& e) const {
    for (const auto& id : e.ids) to.end(node, start_of(id));
  }
  void operator()(const hook::PreChildrenRedistribution& e) const {
    for (const auto& id : e.ids) to.announce(node, hand_over(id, e.to));
  }
  void operator()(const hook::ChildrenMigrated& e) const {
    for (const auto& id : e.ids) to.act(node, hand_over(id, e.to));
  }
  void operator()(const hook::PriorityChanged& e) const {
    auto& level = to.priority_[node.id()];
    if (e.from != level)
      to.broken(node, fmt::format("the queue's level went from {} to {} but was {}", e.from, e.to, level));
    level = e.to;
  }
  void operator()(const hook::QuorumLost&) const { quorum(false); }
  void operator()(const hook::QuorumRegained&) const { quorum(true); }
  void operator()(const hook::HubShutdown&) const { once("shutdown"); }
  template <class Alone>
  void operator()(const Alone&) const {}

 private:
  /// With several at a time of the same name something would be wrong.
  void once(const std::string& what) const {
    if (to.open_.contains({node.id(), what})) to.broken(node, "pre-hook of " + what + " twice without post");
    to.begin(node, what);
  }
  void quorum(bool has) const {
    if (to.without_quorum_[node.id()] != has)
      to.broken(node, has ? "regained a quorum that it had" : "lost a quorum that it had not");
    to.without_quorum_[node.id()] = !has;
  }
};

void HookChecks::on_hook(const SimNode& node, const HookEvent& event) {
  std::visit([&](const auto& e) { Rule{*this, node}(e); }, event);
}

void HookChecks::on_start_worker(const SimNode& node, const protocol::effect::StartWorker& start) {
  if (start.reason == StartReason::takeover) act(node, hand_over(start.spec->id, node.id()));
}

void HookChecks::forget(NodeId node) {
  const auto is_its = [&node](const auto& entry) { return entry.first.first == node; };
  std::erase_if(open_, is_its);
  std::erase_if(announced_, is_its);
}

std::string HookChecks::open() const {
  std::string out;
  for (const auto& [key, count] : open_) {
    if (key.second == "shutdown") continue;  // what comes after it nobody is told
    out += fmt::format("{}{}: {}", out.empty() ? "" : "; ", key.first.str(), key.second);
  }
  return out;
}

void HookChecks::begin(const SimNode& node, const std::string& what) { ++open_[{node.id(), what}]; }

void HookChecks::end(const SimNode& node, const std::string& what) {
  auto it = open_.find({node.id(), what});
  if (it == open_.end()) return broken(node, "post-hook of " + what + " without its pre-hook");
  if (--it->second == 0) open_.erase(it);
}

void HookChecks::announce(const SimNode& node, const std::string& what) { ++announced_[{node.id(), what}]; }

void HookChecks::act(const SimNode& node, const std::string& what) {
  auto it = announced_.find({node.id(), what});
  if (it == announced_.end()) return broken(node, what + " without its pre-hook");
  if (--it->second == 0) announced_.erase(it);
}

void HookChecks::broken(const SimNode& node, const std::string& what) {
  cluster_.report("I8", fmt::format("{}: {}", node.id().str(), what));
}

}  // namespace processhub::sim
