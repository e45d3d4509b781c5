// The test kit: a whole cluster in one thread and in virtual time, to test your own workers and strategies.
// Core, codec, sessions and failure detection are those of a program; network and clock are simulated;
// workers are instances of your classes. Nothing happens unless a member steps time, an hour takes no hour,
// and the same seed gives the same history. Link processhub::testing. One thread.
//
// A slip of the test itself (an unknown node, a wrong option, a step from inside a worker) throws
// std::invalid_argument or std::logic_error; what a program could meet is a Result.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "processhub/child.hpp"
#include "processhub/config.hpp"
#include "processhub/export.hpp"
#include "processhub/hub.hpp"
#include "processhub/payload.hpp"
#include "processhub/result.hpp"
#include "processhub/strategy_catalog.hpp"
#include "processhub/time.hpp"
#include "processhub/worker.hpp"

namespace processhub::testing {

struct ClusterOptions {
  std::uint64_t seed = 1;         ///< decides every delay and every fault
  WorkerTypes types{};            ///< that each node can run
  StrategyCatalog strategies{};   ///< beside the built-in ones; config names those in use
  HubConfig config{};             ///< of every node; names, addresses and seeds are the kit's
  std::string faults{};           ///< as for Cluster::faults
  std::size_t trace_lines = 200;  ///< kept for trace(); 0: no trace, which is two to three times faster
};

/// A promise of the hub that was broken (I1 … I10, see docs/testing.md): a bug of the hub, or of a strategy.
struct Violation {
  Time when{};
  std::string invariant{};
  std::string what{};
};

/// Fine, or what is wrong. Prints itself, so that CHECK(cluster.settle()) says why it failed.
class Verdict {
 public:
  Verdict() = default;
  explicit Verdict(std::string problem) : problem_(std::move(problem)) {}
  explicit operator bool() const { return problem_.empty(); }
  const std::string& str() const { return problem_; }  ///< empty: fine

 private:
  std::string problem_{};
};
PROCESSHUB_API std::ostream& operator<<(std::ostream& out, const Verdict& verdict);

/// An answer that may come while time is stepped. Copies see the same one.
template <class T>
class Pending {
 public:
  bool ready() const { return answer_->has_value(); }
  /// Throws std::logic_error before it is ready.
  const Result<T>& result() const {
    if (!ready()) throw std::logic_error("processhub::testing: the answer is not there yet; step time first");
    return **answer_;
  }

 private:
  friend class Cluster;
  std::shared_ptr<std::optional<Result<T>>> answer_ = std::make_shared<std::optional<Result<T>>>();
};

class PROCESSHUB_API Cluster {
 public:
  explicit Cluster(ClusterOptions options = {});
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // -- nodes. A new one knows the addresses of those that are there; it boots and joins as time passes.
  /// `adjust` may change this node's weight, zone, roles …
  void add_node(const std::string& name, const std::function<void(HubConfig&)>& adjust = {});
  /// They know each other's addresses.
  void add_nodes(const std::vector<std::string>& names);
  /// A program that is no node, as with a Client: it knows the addresses of the nodes that are there. Its
  /// name stands where a node's does in call(), cast() and their kin.
  void add_client(const std::string& name);
  void crash(std::string_view node);   ///< kill -9: peers see the connections end
  void vanish(std::string_view node);  ///< power lost: peers hear nothing any more
  void restart(std::string_view node);
  void pause(std::string_view node);  ///< SIGSTOP
  void resume(std::string_view node);
  /// Drains and leaves; steps time until done.
  Result<void> leave(std::string_view node);
  bool runs(std::string_view node) const;  ///< also while paused

  // -- network
  void cut(std::string_view a, std::string_view b);
  void cut_one_way(std::string_view from, std::string_view to);
  void split(const std::vector<std::string>& left, const std::vector<std::string>& right);
  void heal();
  void heal(std::string_view a, std::string_view b);
  /// Sets fault options from "name=value …": "loss=0.02 delay_max=20ms worker_crash=0.001". An unknown name
  /// is answered with the list of all.
  void faults(std::string_view settings);

  // -- time; starts at 0. After a violation it stands still.
  Time now() const;
  void run_for(Duration duration);
  /// Until `done()`, looked at after everything that happens; false: not within `limit`.
  [[nodiscard]] bool run_until(const std::function<bool()>& done, Duration limit);
  /// Until the cluster is as it should be: in every part that is not cut off, all nodes agree, each child
  /// runs exactly on its owners, nothing is locked or overdue. Needs at least half a second of virtual time.
  [[nodiscard]] Verdict settle(Duration limit = std::chrono::seconds(30));

  // -- what a program does with a Hub; each steps time until it is answered
  Result<StartResult> start(std::string_view node, std::vector<ChildSpec> specs, StartOptions options = {});
  Result<StopResult> stop(std::string_view node, std::vector<std::string> ids, StopOptions options = {});
  Result<void> update_metadata(std::string_view node, const std::string& id, Metadata metadata);
  Result<void> restart_child(std::string_view node, const std::string& id);
  /// The node that is asked, the child, and where it shall run.
  Result<void> migrate(std::string_view node, const std::string& id, const std::string& target);
  template <class R, class M>
  Result<R> call(std::string_view node, std::string_view id, const M& message,
                 std::chrono::milliseconds timeout = std::chrono::seconds(5)) {
    const auto pending = begin_call<R>(node, id, message, timeout);
    wait([&pending] { return pending.ready(); }, timeout);
    return pending.ready() ? pending.result() : Result<R>(unanswered("call", node));
  }

  // -- the same without a step; the answer comes while time is stepped
  Pending<StartResult> begin_start(std::string_view node, std::vector<ChildSpec> specs,
                                   StartOptions options = {});
  Pending<StopResult> begin_stop(std::string_view node, std::vector<std::string> ids,
                                 StopOptions options = {});
  Pending<bool> begin_leave(std::string_view node);  ///< true when it has left
  template <class R, class M>
  Pending<R> begin_call(std::string_view node, std::string_view id, const M& message,
                        std::chrono::milliseconds timeout = std::chrono::seconds(5)) {
    Pending<R> pending;
    begin_call_raw(node, id, message_name<M>(), encode(message), timeout,
                   [answer = pending.answer_](Result<Bytes> bytes) {
                     answer->emplace(bytes ? decode<R>(*bytes) : Result<R>(bytes.error()));
                   });
    return pending;
  }
  template <class M>
  Result<void> cast(std::string_view node, std::string_view id, const M& message) {
    return cast_raw(node, id, message_name<M>(), encode(message));
  }
  template <class M>
  Result<void> broadcast(std::string_view node, std::string_view tag, const M& message) {
    return broadcast_raw(node, tag, message_name<M>(), encode(message));
  }
  Result<Bytes> call_raw(std::string_view node, std::string_view id, std::string_view message, Bytes body,
                         std::chrono::milliseconds timeout = std::chrono::seconds(5));
  Result<void> cast_raw(std::string_view node, std::string_view id, std::string_view message, Bytes body);
  Result<void> broadcast_raw(std::string_view node, std::string_view tag, std::string_view message,
                             Bytes body);

  // -- what one node knows
  std::vector<NodeInfo> nodes(std::string_view seen_by) const;        ///< all it has met, itself included
  std::vector<std::string> up_nodes(std::string_view seen_by) const;  ///< names of those it believes up
  std::optional<ChildInfo> lookup(std::string_view seen_by, const std::string& id) const;
  std::vector<ChildInfo> list(std::string_view seen_by) const;  ///< sorted by id
  HubStats stats(std::string_view node) const;

  // -- what is really so
  /// Names of the nodes that run the child, sorted.
  std::vector<std::string> runs_on(std::string_view id) const;
  /// Ids of the children that run on the node, sorted.
  std::vector<std::string> children_on(std::string_view node) const;
  /// Names of the nodes on which the child belongs, best first: the distribution's choice among the nodes
  /// that `seen_from` can reach (default: the first that runs).
  std::vector<std::string> owners_of(std::string_view id, std::string_view seen_from = {}) const;
  /// The first of them; empty: none.
  std::string owner_of(std::string_view id, std::string_view seen_from = {}) const;
  /// Your own object behind the child's active instance, wherever it runs; with several (a cut) that of the
  /// highest generation. Null: none runs, it is passivated, or it is no W. Good until time is
  /// stepped.
  template <class W>
  W* worker(std::string_view id) const {
    return dynamic_cast<W*>(instance(id, {}));
  }
  template <class W>
  W* worker_on(std::string_view node, std::string_view id) const {
    return dynamic_cast<W*>(instance(id, node));
  }

  // -- when something is wrong
  /// Fine unless a promise was broken so far, or a request is overdue.
  [[nodiscard]] Verdict check() const;
  const std::vector<Violation>& violations() const;
  /// The last lines of what happened: events (<), effects (>), faults (*).
  std::string trace(std::size_t lines = 50) const;
  /// A hash of all lines so far; equal for equal histories.
  std::uint64_t trace_hash() const;

 private:
  using Answer = std::function<void(Result<Bytes>)>;
  void begin_call_raw(std::string_view node, std::string_view id, std::string_view message, Bytes body,
                      std::chrono::milliseconds timeout, Answer answer);
  void wait(const std::function<bool()>& ready, Duration timeout);
  Error unanswered(std::string_view what, std::string_view node) const;
  Worker* instance(std::string_view id, std::string_view node) const;

  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// A distribution under test, and how far its promises go. The scenarios run on node-1 … node-5.
struct DistributionCase {
  StrategyCatalog strategies{};       ///< beside the built-in ones
  StrategyChoice distribution{};      ///< the one to check, by name, and its options
  std::vector<ChildSpec> children{};  ///< to be placed; their type is the kit's. Empty: shop-1/child-1 …
  std::vector<std::size_t> copies{1, 2};  ///< how many owners a child shall have: one run for each
  /// A node that joins takes children but moves none between the others; one that goes moves only its own.
  bool moves_little = true;
  /// It may give fewer owners than there could be (guided): children may run nowhere for a while.
  bool may_wait = false;
};

/// The scenarios of every distribution: its options, owners that are members, as many as asked for, alike on
/// all nodes and for the same view later, stable while unrelated nodes come and go; and in a simulated
/// cluster, on a good and on a bad network, that each child runs on its owners after starts, a join, a
/// crash, a leave and a return. Says what is wrong first. Takes about a second.
[[nodiscard]] PROCESSHUB_API Verdict check_distribution(const DistributionCase& what);

}  // namespace processhub::testing
