// Golden scenarios: one behaviour written as commands, answered by described output. A file is commands, a
// line "----", and the output it must give. One command per line, "#" starts a comment.
//
//   seed 7                          before the first node
//   fault loss 0.05                 a fault option (see sim_faults.hpp), at any time
//   option spec_copies 1            a hub option of the nodes that boot after it
//   static x1 x2 [type T] / static none      children in the configuration of the nodes that boot after it
//   types counter slow / types all  worker types of the nodes that boot after it
//   nodes a b c                     boots nodes that know each other's addresses
//   node d [host h] [name n] [life 3] seeds a b
//                                   boots one node, at the address of host h (default: d), which tells others
//                                   that it is called n; other commands call it d
//   client k knows a b              a program that is no node; calls and casts go "on k", too
//   run 2s                          lets time pass
//   start x1..x10 [type T] [tag T] [restart R] [role R] [nodes a,b] [max_restarts N] [timeout 2s]
//         [rollback] on a
//                                   waits for the answer and prints it; types and messages: see
//                                   sim_worker.hpp
//   start x1 x2:broken on a         x2 is of another type than the rest
//   start x1 on a &                 does not wait: the answer is printed when it comes
//   stop x1 x2 [timeout 2s] on a / stop prefix x on a / stop tag t on a
//   call x1 add 5 [timeout 2s] on a / cast x1 add 5 on a / broadcast TAG add 5 on a
//   metadata x1 key=value on a / restart child x1 on a / migrate x1 to b on a
//   lock on a / unlock on a
//   dispatch NAME [BODY] on a [to all]       an event of the user's own; every node that hears it says so
//   crash b / vanish b / restart b / pause b / resume b / leave b
//   load b cpu 0.9 run_queue 3 memory 0.5    what b measures of itself from now on; what is left out is 0
//   restart b life 3                a life of that number: a lower one is a clock that was set back
//   cut a -> b / cut a - b / split a b | c d / heal / heal a - b
//   reset a - b                     breaks the connections between the two; they reconnect
//   clog a -> b 300ms               what a sends arrives so much later; 0ms ends it
//   show children [on a] / show child x1 [on a] / show nodes on a / show hooks on a
//   mark / moved                    which children changed their node since the mark
//   expect quiet [within 20s]       everything is as the invariants demand
//   expect node b down [on a] within 3s      waits until a sees b so: up, down, left, indirect …
//   expect quorum a lost within 5s  waits until a says so: lost, held
//   freeze on a                     and unfreeze, drain, undrain: what an operator asks of a node
//   reset size on a                 the nodes that are up are the cluster
//   expect child x1 failed [on a] within 1s  waits until a sees it so: running, failed, gone …
// Long lists of ids are counted. A node that ends by itself says why, when it happens.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "transport/sim/quiet_checks.hpp"
#include "transport/sim/safety_checks.hpp"
#include "transport/sim/sim_cluster.hpp"

namespace processhub::sim {

/// A command that cannot be understood or carried out; what() names the line.
class ScenarioError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct ScenarioText {
  std::string commands{};
  std::string expected{};
};
/// Cuts a file at its "----" line.
ScenarioText split_scenario(const std::string& file);

class Scenario : private ClusterObserver {
 public:
  explicit Scenario(CoreFactory make_core = {});
  ~Scenario() override;

  /// Runs all commands; what they print. Throws ScenarioError.
  std::string run(const std::string& commands);
  /// Names of all hooks that any node told of.
  const std::set<std::string, std::less<>>& hooks_seen() const { return hooks_seen_; }

 private:
  using Words = std::vector<std::string>;
  struct Command {
    std::string_view name;
    void (Scenario::*carry_out)(Words& words);
  };
  static const std::vector<Command>& commands();

  void execute(const std::string& line);
  SimCluster& cluster();
  void print(const std::string& line);
  void on_completed(const Operation& operation) override;
  void on_effect(const SimNode& node, const protocol::Effect& effect) override;
  void on_life(const SimNode& node) override;
  void finish(const Operation& operation, bool wait);
  void print_violations();

  void do_seed(Words& words);
  void do_fault(Words& words);
  void do_option(Words& words);
  void do_static(Words& words);
  void do_types(Words& words);
  void do_nodes(Words& words);
  void do_node(Words& words);
  void do_client(Words& words);
  void do_run(Words& words);
  void do_start(Words& words);
  void do_stop(Words& words);
  void do_call(Words& words);
  void do_cast(Words& words);
  void do_broadcast(Words& words);
  void do_dispatch(Words& words);
  void do_publish(Words& words);
  void do_subscribe(Words& words);
  void do_metadata(Words& words);
  void do_migrate(Words& words);
  void do_lock(Words& words);
  void do_unlock(Words& words);
  template <int kOperation>
  void do_operate(Words& words);
  void do_crash(Words& words);
  void do_vanish(Words& words);
  void do_restart(Words& words);
  void do_pause(Words& words);
  void do_resume(Words& words);
  void do_load(Words& words);
  void do_leave(Words& words);
  void do_cut(Words& words);
  void do_split(Words& words);
  void do_heal(Words& words);
  void do_reset(Words& words);  // connections, or the size of the cluster
  void do_clog(Words& words);
  void do_show(Words& words);
  void do_mark(Words& words);
  void do_moved(Words& words);
  void do_expect(Words& words);

  void boot(const std::string& node, const std::vector<std::string>& seeds, const std::string& host,
            const std::string& name, std::uint64_t life);
  void show_children(const SimNode& node);
  void show_child(const SimNode& node, const std::string& id);
  void show_nodes(const SimNode& node);
  void expect_quiet(Duration limit);
  void expect_quorum(const SimNode& node, const std::string& state, Duration limit);
  void expect_state(const std::string& what, const std::string& name, const std::string& state,
                    const SimNode& node, Duration limit);
  std::map<std::string, std::string> placement() const;
  const SimNode& any_running();

  ClusterOptions options_{};
  CoreFactory inner_core_{};
  protocol::OfferedTypes next_types_{};
  std::map<std::string, protocol::OfferedTypes> types_{};
  std::unique_ptr<SimCluster> cluster_{};
  std::unique_ptr<SafetyChecks> safety_{};
  std::unique_ptr<QuietChecks> quiet_{};
  std::string out_{};
  std::map<std::string, std::vector<std::string>> hooks_{};  ///< told, and not shown yet
  std::set<std::string, std::less<>> hooks_seen_{};
  std::map<std::string, std::string> marked_{};
  std::map<std::string, std::uint64_t> locks_{};
  std::size_t told_violations_ = 0;
};

}  // namespace processhub::sim
