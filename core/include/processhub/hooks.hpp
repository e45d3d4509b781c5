// Hooks: what a program can be told of. Handlers run in order on the hub's hook thread, never on the loop;
// the alter hook child_data runs before a start, on a thread of its own and with a deadline. A handler that
// throws or is slow is reported by its id.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "processhub/child.hpp"
#include "processhub/config.hpp"
#include "processhub/export.hpp"
#include "processhub/ids.hpp"
#include "processhub/result.hpp"

namespace processhub {

namespace hook {
struct PreClusterJoin {
  static constexpr std::string_view name = "pre_cluster_join";
  NodeId node{};
};
struct PostClusterJoin {
  static constexpr std::string_view name = "post_cluster_join";
  NodeId node{};
};
struct PreClusterLeave {
  static constexpr std::string_view name = "pre_cluster_leave";
  NodeId node{};
  bool graceful = false;
};
struct PostClusterLeave {
  static constexpr std::string_view name = "post_cluster_leave";
  NodeId node{};
  bool graceful = false;
};
struct RegistryInserted {
  static constexpr std::string_view name = "registry_inserted";
  std::vector<std::string> ids{};
};
struct RegistryRemoved {
  static constexpr std::string_view name = "registry_removed";
  std::vector<std::string> ids{};
};
/// On the node that is about to let children go to another one, and on one that is about to take over those
/// of a node that is gone: `from` or `to` is this node.
struct PreChildrenRedistribution {
  static constexpr std::string_view name = "pre_children_redistribution";
  NodeId from{};  ///< none: nobody knows who ran them
  NodeId to{};
  std::vector<std::string> ids{};
};
/// On the node that gave them away: they have ended here.
struct ChildrenMigrated {
  static constexpr std::string_view name = "children_migrated";
  NodeId to{};
  std::vector<std::string> ids{};
};
/// Children came to this node when they already belonged elsewhere: it passes them on.
struct ForwardedMigration {
  static constexpr std::string_view name = "forwarded_migration";
  NodeId to{};
  std::vector<std::string> ids{};
};
struct PriorityChanged {
  static constexpr std::string_view name = "priority_changed";
  int from = 0;
  int to = 0;
};
struct PreRedistribution {
  static constexpr std::string_view name = "pre_redistribution";
  NodeId cause{};
  bool joined = false;
};
struct PostRedistribution {
  static constexpr std::string_view name = "post_redistribution";
  NodeId cause{};
  bool joined = false;
};
/// On the node that was asked to start children: before anything of it starts. Big requests tell in parts.
struct PreChildrenStart {
  static constexpr std::string_view name = "pre_children_start";
  std::vector<std::string> ids{};
};
/// They run, and enough nodes know it.
struct ChildrenStarted {
  static constexpr std::string_view name = "children_started";
  std::vector<std::string> ids{};
};
/// What pre_children_start announced has come to its end.
struct PostChildrenStart {
  static constexpr std::string_view name = "post_children_start";
  std::vector<std::string> ids{};
  std::vector<std::string> failed{};  ///< those of `ids` that did not start
};
struct ChildRestarted {
  static constexpr std::string_view name = "child_restarted";
  std::string id{};
  WorkerRef ref{};
  std::string why{};
};
struct ChildFailed {
  static constexpr std::string_view name = "child_failed";
  std::string id{};
  std::string why{};
};
struct ChildConflict {
  static constexpr std::string_view name = "child_conflict";
  std::string id{};
  Uid winner{};
  Uid loser{};
};
/// This node had a quorum and has none now: its children stop. (Not when it boots without one.)
struct QuorumLost {
  static constexpr std::string_view name = "quorum_lost";
  std::vector<NodeId> members{};  ///< whom it still believes up, itself included
};
struct QuorumRegained {
  static constexpr std::string_view name = "quorum_regained";
  std::vector<NodeId> members{};
};
struct NodeSuspected {
  static constexpr std::string_view name = "node_suspected";
  NodeId node{};
};
/// A message that no worker will get and nobody waits for an answer to. More than 100 a second are told as
/// one.
struct DeadLetter {
  static constexpr std::string_view name = "dead_letter";
  std::string id{};
  std::string message{};
  std::string why{};
  std::uint64_t count = 1;  ///< how many this one stands for, itself included
};
struct HubShutdown {
  static constexpr std::string_view name = "hub_shutdown";
};
}  // namespace hook

using HookEvent =
    std::variant<hook::PreClusterJoin, hook::PostClusterJoin, hook::PreClusterLeave, hook::PostClusterLeave,
                 hook::RegistryInserted, hook::RegistryRemoved, hook::PreChildrenRedistribution,
                 hook::ChildrenMigrated, hook::ForwardedMigration, hook::PriorityChanged,
                 hook::PreRedistribution, hook::PostRedistribution, hook::PreChildrenStart,
                 hook::ChildrenStarted, hook::PostChildrenStart, hook::ChildRestarted, hook::ChildFailed,
                 hook::ChildConflict, hook::QuorumLost, hook::QuorumRegained, hook::NodeSuspected,
                 hook::DeadLetter, hook::HubShutdown>;

PROCESSHUB_API std::string_view hook_name(const HookEvent& event);
/// One line: the name and what it is about, at most five ids of many.
PROCESSHUB_API std::string to_string(const HookEvent& event);
/// Every hook name, in declaration order.
PROCESSHUB_API std::vector<std::string> hook_names();

/// A handler to register. Lower priority numbers run first; equal ones in order of registration.
struct Hook {
  std::string id{};     ///< chosen by the user; a repeated id replaces the earlier handler
  std::string event{};  ///< a hook name, or "child_data" for the alter hook
  int priority = 100;
  std::function<void(const HookEvent&)> handler{};
  /// For child_data only: may change everything of a spec before it is checked, on the node that was asked to
  /// start it. One that throws changes nothing. If those of one start need longer than `hook_timeout`, the
  /// start is refused with `timeout`.
  std::function<void(ChildSpec&)> alter{};
};

struct HookInfo {
  std::string id{};
  std::string event{};
  int priority = 100;
};

/// Which registration a function was called for.
struct HookSource {
  std::string hub_id{};
  std::string hook_id{};
};

/// Functions that configuration files name as hooks ([hook.ID] function = NAME); plugins add theirs. One
/// function may serve several hubs, each from its own thread.
class PROCESSHUB_API HookFunctions {
 public:
  using Handler = std::function<void(const HookSource&, const HookEvent&)>;
  using Alter = std::function<void(const HookSource&, ChildSpec&)>;

  // A repeated name replaces the earlier function.
  HookFunctions& add(std::string name, Handler handler);
  /// For child_data.
  HookFunctions& add_alter(std::string name, Alter alter);

  /// The hooks that `config.hooks` asks for. The error names the hook, and the functions there are.
  Result<std::vector<Hook>> make(const HubConfig& config) const;

 private:
  std::map<std::string, Handler> handlers_{};
  std::map<std::string, Alter> alters_{};
};

}  // namespace processhub
