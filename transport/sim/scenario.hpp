// Golden scenarios: one behaviour written as commands, answered by described output. A file is commands, a
// line "----", and the output it must give. One command per line, "#" starts a comment.
//
//   seed 7                          before the first node
//   fault loss 0.05                 a fault option (see sim_faults.hpp), at any time
//   option spec_copies 1            a hub option of the nodes that boot after it
//   nodes a b c                     boots nodes that know each other's addresses
//   node d seeds a b                boots one node
//   run 2s                          lets time pass
//   start x1..x10 [type T] [tag T] [restart R] on a      waits for the answer and prints it
//   start x1 on a &                 does not wait: the answer is printed when it comes
//   stop x1 x2 on a / stop prefix x on a / stop tag t on a
//   call x1 add 5 on a / cast x1 add 5 on a / metadata x1 key=value on a / restart child x1 on a
//   lock on a / unlock on a
//   crash b / vanish b / restart b / pause b / resume b / leave b
//   cut a -> b / cut a - b / split a b | c d / heal / heal a - b
//   show children [on a] / show child x1 [on a] / show nodes on a / show hooks on a
//   mark / moved                    which children changed their node since the mark
//   expect quiet [within 20s]       everything is as the invariants demand
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
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
  void finish(const Operation& operation, bool wait);
  void print_violations();

  void do_seed(Words& words);
  void do_fault(Words& words);
  void do_option(Words& words);
  void do_nodes(Words& words);
  void do_node(Words& words);
  void do_run(Words& words);
  void do_start(Words& words);
  void do_stop(Words& words);
  void do_call(Words& words);
  void do_cast(Words& words);
  void do_metadata(Words& words);
  void do_lock(Words& words);
  void do_unlock(Words& words);
  void do_crash(Words& words);
  void do_vanish(Words& words);
  void do_restart(Words& words);
  void do_pause(Words& words);
  void do_resume(Words& words);
  void do_leave(Words& words);
  void do_cut(Words& words);
  void do_split(Words& words);
  void do_heal(Words& words);
  void do_show(Words& words);
  void do_mark(Words& words);
  void do_moved(Words& words);
  void do_expect(Words& words);

  void show_children(const SimNode& node);
  void show_child(const SimNode& node, const std::string& id);
  void show_nodes(const SimNode& node);
  std::map<std::string, std::string> placement() const;
  const SimNode& any_running();

  ClusterOptions options_{};
  std::unique_ptr<SimCluster> cluster_{};
  std::unique_ptr<SafetyChecks> safety_{};
  std::unique_ptr<QuietChecks> quiet_{};
  std::string out_{};
  std::map<std::string, std::vector<std::string>> hooks_{};
  std::map<std::string, std::string> marked_{};
  std::map<std::string, std::uint64_t> locks_{};
  std::size_t told_violations_ = 0;
};

}  // namespace processhub::sim
