// A whole cluster in one thread and virtual time: scheduler, network, nodes, the user's operations and their
// answers, and the observers (trace, checkers). One seed, one history.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "transport/sim/sim_node.hpp"

namespace processhub::sim {

struct ClusterOptions {
  std::uint64_t seed = 1;
  Faults faults{};
  HubConfig config{};             ///< of every node; name, addresses and seeds are filled in
  CoreFactory make_core{};        ///< default: the product
  Duration clock_spread{};        ///< machines' clocks differ by up to this much
  WorkersFactory make_workers{};  ///< default: synthetic ones
  StrategyCatalog strategies{};   ///< beside the built-in ones, for the default core and the checkers
  bool lean = false;  ///< for very large clusters: no readers' copies of the registry, specs are shared
};

enum class OpKind : std::uint8_t {
  start,
  stop,
  metadata,
  restart,
  migrate,
  call,
  cast,
  broadcast,
  lock,
  unlock,
  dispatch,
  reset_size,
  operate,
  leave
};
std::string_view to_string(OpKind kind);

/// One thing a user asked of a node, and what came of it.
struct Operation {
  std::size_t number = 0;
  OpKind kind = OpKind::start;
  NodeId node{};
  protocol::Token token = 0;       ///< 0: no answer is expected
  std::vector<std::string> ids{};  ///< of a stop: what `select` selects by
  protocol::event::Select select = protocol::event::Select::ids;
  std::set<std::string> durable{};    ///< of a start: children that only a stop removes
  std::uint64_t message = 0;          ///< of a call or cast: the number in its body
  bool known = false;                 ///< of a call or cast: its node knew the child then
  std::optional<WorkerRef> listed{};  ///< of a call or cast: the worker its node listed as running then
  Time issued{};
  Duration timeout{};        ///< as asked for; zero: none
  Duration paused_before{};  ///< of the node, when it was issued
  std::uint32_t completions = 0;
  Time completed{};
  Duration paused_after{};  ///< of the node, when it completed
  bool node_lost = false;   ///< its node ended first: no answer will come
  std::optional<Error> error{};
  StartResult started{};
  StopResult stopped{};
  Bytes answer{};
  std::uint64_t lock = 0;

  /// It may have changed the fate of this child.
  bool touches(const std::string& id) const;
  bool done() const { return completions > 0; }
  bool ok() const { return done() && !error; }
};

/// A broken promise of the product.
struct Violation {
  Time when{};
  std::string invariant{};  ///< I1 … I10
  std::string what{};
};

class ClusterObserver : public NodeObserver {
 public:
  virtual void on_completed(const Operation&) {}
  /// What the scenario or the swarm did: cuts, crashes …
  virtual void on_note(const std::string&) {}
};

class SimCluster : private NodeObserver {
 public:
  explicit SimCluster(ClusterOptions options);
  ~SimCluster() override;

  // -- time
  Time now() const { return scheduler_.now(); }
  void run_for(Duration duration);
  /// Until `done` or the limit; looks after every task. False: the limit came first, or a checker found
  /// something.
  bool run_until(const std::function<bool()>& done, Duration limit);
  Scheduler& scheduler() { return scheduler_; }
  const Scheduler& scheduler() const { return scheduler_; }

  // -- nodes
  /// A node that knows the addresses of `seeds` (hosts). Boots at once, as life 1 or the one given.
  SimNode& add_node(const std::string& name, const std::vector<std::string>& seeds,
                    const std::string& host = {}, const std::function<void(HubConfig&)>& adjust = {},
                    std::uint64_t life = 0);
  SimNode& node(std::string_view name);
  const SimNode& node(std::string_view name) const { return const_cast<SimCluster*>(this)->node(name); }
  bool has_node(std::string_view name) const { return nodes_.contains(name); }
  /// All, in order of name.
  std::vector<const SimNode*> nodes() const;
  std::vector<const SimNode*> running_nodes() const;
  /// A program that is no node and knows these addresses (hosts). What can be called takes its name as a
  /// node's.
  void add_client(const std::string& name, const std::vector<std::string>& nodes);
  bool has_client(std::string_view name) const { return clients_.contains(name); }
  const SimNode* find(NodeId id) const;  ///< null unless that very incarnation runs

  // -- faults
  void crash(std::string_view name, SimNetwork::Detach how = SimNetwork::Detach::closed);
  void restart(std::string_view name);
  void pause(std::string_view name);
  void resume(std::string_view name);
  void slow(std::string_view name, Duration slowness);  ///< its loop; zero: as usual
  void jump_clock(std::string_view name, Duration ahead);
  /// A node of this name, added later, speaks the next version of the protocol (see next_version.hpp).
  void speaks_next_version(const std::string& name) { next_version_.insert(name); }
  void cut(std::string_view from, std::string_view to);  ///< one way
  void cut_both(std::string_view a, std::string_view b);
  /// Cuts every pair of the two groups, both ways.
  void split(const std::vector<std::string>& left, const std::vector<std::string>& right);
  void heal(std::string_view a, std::string_view b);  ///< both ways
  void heal_all();
  SimNetwork& network() { return network_; }
  const SimNetwork& network() const { return network_; }
  Faults& faults() { return faults_; }
  void note(const std::string& text);

  // -- what a user does; the reference stays valid
  const Operation& start(std::string_view node, std::vector<ChildSpec> specs, StartOptions options = {});
  const Operation& stop(std::string_view node, protocol::event::Select select,
                        std::vector<std::string> values, StopOptions options = {});
  const Operation& metadata(std::string_view node, const std::string& id, Metadata metadata);
  const Operation& restart_child(std::string_view node, const std::string& id);
  const Operation& migrate(std::string_view node, const std::string& id, const std::string& target,
                           Duration timeout = std::chrono::seconds(10));
  const Operation& call(std::string_view node, const std::string& id, const std::string& message, Bytes body,
                        Duration timeout, bool retry = false);
  const Operation& cast(std::string_view node, const std::string& id, const std::string& message, Bytes body);
  const Operation& broadcast(std::string_view node, const std::string& tag, const std::string& message,
                             Bytes body);
  const Operation& lock(std::string_view node, const std::string& reason, int level = 10);
  const Operation& unlock(std::string_view node, std::uint64_t lock);
  const Operation& dispatch(std::string_view node, const std::string& name, Bytes body, Scope scope);
  const Operation& reset_size(std::string_view node);
  const Operation& operate(std::string_view node, protocol::event::Operation what);
  const Operation& leave(std::string_view node);
  const std::deque<Operation>& operations() const { return operations_; }

  // -- what happened
  const WorkerLog& workers() const { return log_; }
  WorkerLog& mutable_workers() { return log_; }
  void observe(ClusterObserver& observer) { observers_.push_back(&observer); }
  void report(std::string invariant, std::string what);
  const std::vector<Violation>& violations() const { return violations_; }
  const HubConfig& config() const { return options_.config; }
  const StrategyCatalog& strategies() const { return options_.strategies; }

 private:
  void on_event(const SimNode& node, const protocol::Event& event) override;
  void on_effect(const SimNode& node, const protocol::Effect& effect) override;
  void on_turn(const SimNode& node) override;
  void on_life(const SimNode& node) override;

  Operation& new_operation(std::string_view node, OpKind kind, std::vector<std::string> ids, Duration timeout,
                           bool answered);
  Operation& new_message(std::string_view from, OpKind kind, const std::string& id, Duration timeout,
                         const Bytes& body);
  void client_answered(std::size_t operation, const Result<Bytes>& result);
  Operation* open_operation(const SimNode& node, protocol::Token token);
  template <class Value, class Keep>
  void complete(const SimNode& node, protocol::Token token, const Result<Value>& result, Keep keep);
  Duration clock_offset();
  HostId host_of(std::string_view name);

  ClusterOptions options_;
  CoreFactory make_next_core_{};
  std::shared_ptr<protocol::SpecPool> specs_{};  ///< of a lean cluster
  std::set<std::string> next_version_{};
  Faults faults_;
  Rng rng_;
  Scheduler scheduler_{};
  SimNetwork network_;
  WorkerLog log_{};
  std::map<std::string, std::unique_ptr<SimNode>, std::less<>> nodes_{};
  std::map<std::string, std::unique_ptr<SimClient>, std::less<>> clients_{};
  /// Ended nodes whose name another node took: what they had scheduled still looks whether they live.
  std::vector<std::unique_ptr<SimNode>> retired_{};
  std::map<std::string, std::uint64_t, std::less<>> lives_{};
  std::deque<Operation> operations_{};
  std::map<std::pair<NodeId, protocol::Token>, std::size_t> tokens_{};
  protocol::Token last_token_ = 0;
  std::vector<ClusterObserver*> observers_{};
  std::vector<Violation> violations_{};
};

}  // namespace processhub::sim
