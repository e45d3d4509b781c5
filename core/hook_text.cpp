// A hook event as one line, for logs.
#include <algorithm>
#include <variant>

#include "processhub/hooks.hpp"

namespace processhub {

namespace {

constexpr std::size_t kIdsShown = 5;  // of a start of thousands

std::string listed(const std::vector<std::string>& ids) {
  std::string text;
  const auto shown = std::min(ids.size(), kIdsShown);
  for (std::size_t i = 0; i < shown; ++i) text += " " + ids[i];
  if (ids.size() > shown) text += " and " + std::to_string(ids.size() - shown) + " more";
  return text;
}

struct Text {
  std::string operator()(const hook::PreClusterJoin& e) const { return " " + e.node.str(); }
  std::string operator()(const hook::PostClusterJoin& e) const { return " " + e.node.str(); }
  std::string operator()(const hook::PreClusterLeave& e) const { return left(e.node, e.graceful); }
  std::string operator()(const hook::PostClusterLeave& e) const { return left(e.node, e.graceful); }
  std::string operator()(const hook::RegistryInserted& e) const { return listed(e.ids); }
  std::string operator()(const hook::RegistryRemoved& e) const { return listed(e.ids); }
  std::string operator()(const hook::PreChildrenRedistribution& e) const {
    return " from " + (e.from ? e.from.str() : "nobody") + " to " + e.to.str() + ":" + listed(e.ids);
  }
  std::string operator()(const hook::ChildrenMigrated& e) const {
    return " to " + e.to.str() + ":" + listed(e.ids);
  }
  std::string operator()(const hook::ForwardedMigration& e) const {
    return " to " + e.to.str() + ":" + listed(e.ids);
  }
  std::string operator()(const hook::PriorityChanged& e) const {
    return " from " + std::to_string(e.from) + " to " + std::to_string(e.to);
  }
  std::string operator()(const hook::PreRedistribution& e) const { return because(e.cause, e.joined); }
  std::string operator()(const hook::PostRedistribution& e) const { return because(e.cause, e.joined); }
  std::string operator()(const hook::PreChildrenStart& e) const { return listed(e.ids); }
  std::string operator()(const hook::ChildrenStarted& e) const { return listed(e.ids); }
  std::string operator()(const hook::PostChildrenStart& e) const {
    return listed(e.ids) + (e.failed.empty() ? "" : "; failed:" + listed(e.failed));
  }
  std::string operator()(const hook::ChildRestarted& e) const {
    return " " + e.id + " as " + e.ref.str() + ": " + e.why;
  }
  std::string operator()(const hook::ChildFailed& e) const { return " " + e.id + ": " + e.why; }
  std::string operator()(const hook::ChildConflict& e) const {
    return " " + e.id + ": " + e.winner.str() + " stays, " + e.loser.str() + " goes";
  }
  std::string operator()(const hook::QuorumLost& e) const { return with(e.members); }
  std::string operator()(const hook::QuorumRegained& e) const { return with(e.members); }
  std::string operator()(const hook::NodeSuspected& e) const { return " " + e.node.str(); }
  std::string operator()(const hook::DeadLetter& e) const {
    return " " + e.message + " to " + e.id + ": " + e.why;
  }
  std::string operator()(const hook::HubShutdown&) const { return {}; }

  static std::string left(const NodeId& node, bool graceful) {
    return " " + node.str() + (graceful ? " left" : " is down");
  }
  static std::string with(const std::vector<NodeId>& members) {
    std::vector<std::string> names;
    for (const auto& member : members) names.push_back(member.str());
    return " with" + listed(names);
  }
  static std::string because(const NodeId& cause, bool joined) {
    return " because " + cause.str() + (joined ? " joined" : " is gone");
  }
};

}  // namespace

std::string to_string(const HookEvent& event) {
  return std::string(hook_name(event)) + std::visit(Text{}, event);
}

}  // namespace processhub
