// What a user says about a child, and what the registry answers about it. Plain values; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "processhub/ids.hpp"
#include "processhub/payload.hpp"
#include "processhub/result.hpp"

namespace processhub {

enum class Restart : std::uint8_t {
  permanent,  ///< always runs again
  transient,  ///< runs again after a crash or the loss of its node; a normal end removes it
  temporary,  ///< never runs again
};

enum class Executor : std::uint8_t {
  pooled,     ///< shares the pool; handlers must not block
  dedicated,  ///< a thread of its own; handlers may block
};

/// What an instance does in its redundancy group. A singleton is always active.
enum class Role : std::uint8_t { none, active, passive };

enum class InstanceState : std::uint8_t { starting, running, moving, stopping, restarting, failed, released };

enum class StartReason : std::uint8_t {
  first,       ///< the child was started by a user
  restart,     ///< the worker crashed here and starts again
  takeover,    ///< its node is gone; this node owns it now
  move,        ///< moved here from a living node
  activation,  ///< a message came for it while it was passivated; its state is loaded
};

enum class StopReason : std::uint8_t {
  user,         ///< stop_child, or stop_self
  move,         ///< it runs on another node from now on
  conflict,     ///< another instance won
  shutdown,     ///< the hub stops
  crash,        ///< another failure of the same worker
  no_quorum,    ///< this side of the cluster may not run it
  restart,      ///< by hand: it starts again at once, in place and without its state
  passivation,  ///< nothing came for passivate_after; its state is saved, and it starts again with the next
                ///< message
};

PROCESSHUB_API std::string_view to_string(Restart);
PROCESSHUB_API std::string_view to_string(Executor);
PROCESSHUB_API std::string_view to_string(Role);
PROCESSHUB_API std::string_view to_string(InstanceState);
PROCESSHUB_API std::string_view to_string(StartReason);
PROCESSHUB_API std::string_view to_string(StopReason);

using Metadata = std::map<std::string, std::string>;

/// A worker under a hub's care. Only id and type are needed.
struct ChildSpec {
  std::string id{};    ///< unique in the hub; 1..255 bytes, printable, no spaces
  std::string type{};  ///< a name registered in WorkerTypes on every node that may own it
  Payload args{};      ///< given to the constructor, at every start
  Restart restart = Restart::permanent;
  Executor executor = Executor::pooled;
  Metadata metadata{};  ///< travels with the child, readable on every node, changed by update_metadata
  std::string tag{};    ///< a group for by_tag, stop_children and broadcast
  std::optional<std::uint32_t> max_restarts{};  ///< crashes allowed within max_seconds; default: the hub's
  std::optional<std::chrono::milliseconds> max_seconds{};  ///< window of max_restarts; default: the hub's
  std::optional<std::chrono::milliseconds> shutdown_timeout{};  ///< time for on_stop; default: the hub's
  std::string requires_role{};       ///< runs only on nodes with this role; empty: on any
  std::vector<std::string> nodes{};  ///< names of its nodes, for distributions that are told them (guided)
  /// Passivated when nothing came for so long: its state stays with its node, its object goes, and comes
  /// again with the next message. Not while it has a timer, a monitor, a coroutine, a call or a Reply of its
  /// own open. Its class must have a state. Default: never.
  std::optional<std::chrono::milliseconds> passivate_after{};
};

struct Instance {
  WorkerRef ref{};
  Role role = Role::none;
  InstanceState state = InstanceState::starting;
  Generation generation{};
};

/// One child as the registry knows it.
struct ChildInfo {
  ChildSpec spec{};
  Uid uid{};
  std::vector<Instance> instances{};  ///< orphans are not instances
  std::string failure{};              ///< why it is failed; empty: it is not

  const Instance* active() const {
    for (const auto& i : instances)
      if (i.role == Role::active && i.state == InstanceState::running) return &i;
    return nullptr;
  }
};

/// How a child is, as far as a node knows.
enum class ChildState : std::uint8_t {
  running,  ///< its active instance runs
  absent,   ///< it lives and none runs just now: it moves, restarts, or waits for a node
  failed,   ///< it crashed too often, or could not start
  gone,     ///< there is no such child (any more)
};
PROCESSHUB_API std::string_view to_string(ChildState);

/// What WorkerContext::monitor tells of a child.
struct ChildNews {
  std::string id{};
  ChildState state = ChildState::gone;
  NodeId node{};            ///< where it runs
  Generation generation{};  ///< of the instance that runs: another one after each restart, move or takeover
  std::string why{};        ///< of a failure
  friend bool operator==(const ChildNews&, const ChildNews&) = default;
};
/// The news of a child that the registry knows so, or not at all.
PROCESSHUB_API ChildNews news_of(const std::string& id, const std::optional<ChildInfo>& child);

enum class Scope : std::uint8_t { global, local };

enum class OnFailure : std::uint8_t {
  cont,      ///< keep the children that started
  rollback,  ///< remove every child of this call when one fails
};

struct StartOptions {
  std::chrono::milliseconds timeout{10'000};
  bool check_existing =
      true;  ///< an id that lives is reported already_started; false: a second start of it is a conflict
  OnFailure on_failure = OnFailure::cont;
  Metadata metadata{};  ///< added to each child's own
  std::string tag{};    ///< for children without one
};

/// What the options say of a child that its spec leaves open: tag and metadata.
PROCESSHUB_API void apply(const StartOptions& options, ChildSpec& spec);

struct StopOptions {
  std::chrono::milliseconds timeout{10'000};
};

struct ChildStarted {
  std::string id{};
  std::vector<Instance> instances{};
  std::optional<Error> error{};  ///< none: it runs on its owners and enough nodes know it
};

enum class CallStatus : std::uint8_t { ok, partial, failed };

/// What became of one start_children call.
struct StartResult {
  CallStatus status = CallStatus::ok;
  bool rolled_back = false;
  std::vector<ChildStarted> children{};  ///< in the order of the call

  explicit operator bool() const { return status == CallStatus::ok; }
  const ChildStarted* first() const { return children.empty() ? nullptr : &children.front(); }
  PROCESSHUB_API std::vector<std::string> ids() const;  ///< those that run
  PROCESSHUB_API std::vector<std::string> nodes()
      const;  ///< names of the nodes that run them, sorted, once each
  PROCESSHUB_API std::vector<Error> errors() const;
};

struct ChildStopped {
  std::string id{};
  std::vector<std::string> nodes{};  ///< where it ran
  std::optional<Error> error{};
};

struct StopResult {
  CallStatus status = CallStatus::ok;
  std::vector<ChildStopped> children{};

  explicit operator bool() const { return status == CallStatus::ok; }
  PROCESSHUB_API std::vector<std::string> ids() const;
  PROCESSHUB_API std::vector<Error> errors() const;
};

/// Checks id, type and limits; the error names the field.
PROCESSHUB_API Result<void> validate(const ChildSpec& spec);

}  // namespace processhub
