// Hub: one node of one cluster, in this program. Movable, owns its threads; the destructor stops it at once,
// stop() gracefully. All members may be called from any thread, also from workers (but see Future::get).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "processhub/child.hpp"
#include "processhub/config.hpp"
#include "processhub/export.hpp"
#include "processhub/future.hpp"
#include "processhub/hooks.hpp"
#include "processhub/ids.hpp"
#include "processhub/payload.hpp"
#include "processhub/result.hpp"
#include "processhub/topic.hpp"
#include "processhub/trace.hpp"
#include "processhub/worker.hpp"

namespace processhub {

class StrategyCatalog;
struct Metrics;

/// `suspect`: silent, being probed. `indirect`: out of this node's reach, but others reach it and pass on.
enum class NodeState : std::uint8_t { joining, up, suspect, indirect, leaving, down, left };
PROCESSHUB_API std::string_view to_string(NodeState state);

/// The highest priority of an event, and the highest level of the queue's lock.
inline constexpr int kMaxPriority = 1000;

/// What becomes of an event below the level of a locked queue.
enum class WhileLocked : std::uint8_t { wait, discard };

struct NodeInfo {
  NodeId id{};
  std::string endpoint{};
  NodeState state = NodeState::up;
  std::string zone{};
  double weight = 1.0;
};

/// Counters of one hub since its start; `loop_lag` values are the longest and a smoothed stretch without
/// returning to the poll.
struct HubStats {
  std::uint64_t messages_in = 0;
  std::uint64_t messages_out = 0;
  std::uint64_t published = 0;
  std::uint64_t gaps = 0;  ///< publications found missing and repaired
  std::uint64_t resends = 0;
  std::uint64_t bad_frames = 0;     ///< undecodable, unknown, for another hub, before HELLO
  std::uint64_t send_refusals = 0;  ///< EAGAIN: a peer or a subscriber does not read
  std::uint64_t dead_letters = 0;
  std::uint64_t topics_missed = 0;  ///< published messages that subscribers here did not get
  std::uint64_t worker_crashes = 0;
  std::chrono::microseconds loop_lag_max{0};
  std::chrono::microseconds loop_lag_avg{0};
  std::chrono::microseconds queue_wait_max{
      0};  ///< longest wait of a command behind the lock or other commands
};

struct HubStatus {
  NodeId node{};
  std::string hub_id{};
  bool locked = false;
  bool partitioned = false;
  bool joined = false;
  std::uint64_t children_local = 0;
  std::uint64_t children_total = 0;
  std::uint64_t digest = 0;  ///< equal on all nodes of a quiet cluster
  HubStats stats{};
};

namespace detail {
/// A call's future and the way its answer gets there, in one piece of memory.
template <class R>
class TypedCall final : public FutureState<R>, public CallSink {
 public:
  bool finish(Result<Bytes>& answer, bool may_run_callbacks) override {
    auto result = answer ? decode<R>(*answer) : Result<R>(answer.error());
    if (!may_run_callbacks) return this->complete_quietly(result);
    this->complete(std::move(result));
    return true;
  }
};
}  // namespace detail

class PROCESSHUB_API Hub {
 public:
  /// Starts a node with the built-in strategies and, if `config.listen` is set, ZeroMQ. Returns once it is
  /// bound; it joins in the background (wait_joined). Errors: invalid config, address in use, unreadable
  /// keys.
  static Result<Hub> start(HubConfig config, WorkerTypes types);
  /// The same with strategies of the user's own beside the built-in ones, and with functions for
  /// `config.hooks`.
  static Result<Hub> start(HubConfig config, WorkerTypes types, StrategyCatalog strategies,
                           HookFunctions hooks = {});

  Hub(Hub&&) noexcept;
  Hub& operator=(Hub&&) noexcept;
  ~Hub();

  NodeId node() const;
  const std::string& hub_id() const;
  /// The bound address ("" without a network).
  std::string endpoint() const;
  /// True once this node has exchanged snapshots with its seeds, or found itself alone.
  bool wait_joined(std::chrono::milliseconds timeout) const;

  Future<StartResult> start_children(std::vector<ChildSpec> specs, StartOptions options = {});
  Future<StartResult> start_child(ChildSpec spec, StartOptions options = {});
  Future<StopResult> stop_children(std::vector<std::string> ids, StopOptions options = {});
  Future<StopResult> stop_child(std::string id, StopOptions options = {});
  Future<StopResult> stop_by_prefix(std::string prefix, StopOptions options = {});
  Future<StopResult> stop_by_tag(std::string tag, StopOptions options = {});
  /// Moves a child to the node of this name; done when it runs there. The wish stays with the child as long
  /// as that node may own it; after that the distribution decides again.
  Future<void> migrate(std::string id, std::string node,
                       std::chrono::milliseconds timeout = std::chrono::seconds(10));
  /// Replaces the metadata of a child on every node.
  Future<void> update_metadata(std::string id, Metadata metadata);
  /// Clears `failed`, and the child runs again. One that runs on this node stops and starts again in place,
  /// with its mailbox but without its state; complete when it runs. Error `moved`: it runs elsewhere, and the
  /// text says where.
  Future<void> restart_child(std::string id);

  /// Under a quorum that counts the cluster's size: the nodes that are up here are the whole cluster from now
  /// on, and every one of them is told. For when others are gone for good; who may still run elsewhere then
  /// runs twice. `invalid` under another partition tolerance.
  Future<void> reset_cluster_size();

  // Registry: never waits for the loop.
  std::optional<ChildInfo> lookup(std::string_view id) const;
  std::optional<WorkerRef> active_of(std::string_view id) const;
  std::vector<Instance> instances(std::string_view id) const;
  std::vector<ChildInfo> list(Scope scope = Scope::global) const;  ///< sorted by id
  std::vector<ChildInfo> by_tag(std::string_view tag) const;
  std::string dump() const;  ///< one line per instance, for people
  HubStatus status() const;
  bool is_locked() const;
  bool is_partitioned() const;
  std::vector<NodeInfo> nodes(bool include_local = true, bool include_down = false) const;

  template <class M>
  Result<void> cast(std::string_view id, const M& message) {
    return cast_raw(id, message_name<M>(), encode(message));
  }
  template <class R, class M>
  Future<R> call(std::string_view id, const M& message,
                 std::chrono::milliseconds timeout = std::chrono::seconds(5)) {
    return call<R>(id, message, CallOptions{timeout});
  }
  template <class R, class M>
  Future<R> call(std::string_view id, const M& message, const CallOptions& options) {
    const auto answered = std::make_shared<detail::TypedCall<R>>();
    call_then(id, message_name<M>(), encode(message), options, answered);
    return Future<R>(answered);
  }
  /// To every child with the tag, each once. Errors only if the command queue is full.
  template <class M>
  Result<void> broadcast(std::string_view tag, const M& message) {
    return broadcast_raw(tag, message_name<M>(), encode(message));
  }
  /// `named`: the answer carries field names (a msgpack map).
  Future<Bytes> call_raw(std::string_view id, std::string_view message, Bytes body,
                         std::chrono::milliseconds timeout, bool named);
  Result<void> cast_raw(std::string_view id, std::string_view message, Bytes body);
  Result<void> broadcast_raw(std::string_view tag, std::string_view message, Bytes body);

  /// To all subscribers of a matching pattern, on all nodes; see topic.hpp. Errors: invalid (the name, a body
  /// over kMaxTopicBody), overloaded (the command queue is full; nothing was published), stopped.
  template <class M>
  Result<void> publish(std::string_view topic, const M& message, PublishOptions options = {}) {
    return publish_raw(topic, message_name<M>(), encode(message), options);
  }
  Result<void> publish_raw(std::string_view topic, std::string_view message, Bytes body,
                           PublishOptions options = {});
  /// The handler runs on the hook thread, in order, for what is published from now on. If 100,000 wait there,
  /// what comes is dropped and shows as `missed`. Errors: invalid (the pattern).
  using TopicHandler = std::function<void(const TopicMessage&)>;
  Result<SubscriptionId> subscribe(std::string_view pattern, TopicHandler handler);
  /// What is queued for it is not delivered any more; a call under way is not waited for.
  void unsubscribe(SubscriptionId subscription);

  Result<void> register_hooks(std::vector<Hook> hooks);
  std::size_t cancel_hooks(const std::vector<std::string>& ids);  ///< how many there were
  std::vector<HookInfo> hooks() const;

  /// Events of the user's own. A handler runs on the hook thread; priorities below the queue's level wait
  /// while it is locked, on every node. A global one reaches each node of the view once.
  using EventHandler = std::function<void(NodeId from, const Bytes& body)>;
  void on_event(std::string name, EventHandler handler);
  /// `priority` is 0 to kMaxPriority.
  Result<void> dispatch(std::string name, Bytes body, Scope scope = Scope::local, int priority = 0);

  /// Holds back events below `level` (default: everything a user starts): they wait, or are refused with
  /// `discarded`. Freed by unlock, or after deadlock_recovery_timeout.
  Future<std::uint64_t> lock(std::string reason, int level = 10, WhileLocked below = WhileLocked::wait);
  Future<void> unlock(std::uint64_t token);

  /// What this hub measures of itself: <processhub/metrics.hpp>.
  Metrics metrics() const;

  /// Gives a network to a hub that was started without one: it becomes node `name`, listening on `endpoint`.
  Result<void> promote(std::string name, std::string endpoint);
  /// Leaves the cluster: drains, says LEAVE, stops the workers. Returns when done or after drain_timeout.
  Result<void> stop();
  /// Blocks until SIGTERM or SIGINT, then stop(). Call it from main before other threads are given signals to
  /// handle.
  void wait_for_signal();
  /// Why the cluster ended this node (its name is taken, say); then everything answers `stopped`. Empty
  /// otherwise.
  std::string termination_reason() const;

  class Impl;
  explicit Hub(std::unique_ptr<Impl> impl);

 private:
  void call_then(std::string_view id, std::string_view message, Bytes body, const CallOptions& options,
                 std::shared_ptr<detail::CallSink> answered);
  std::unique_ptr<Impl> impl_;
};

}  // namespace processhub
