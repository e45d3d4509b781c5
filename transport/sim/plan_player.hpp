// Carries out the lines of a plan on a simulated cluster, one verb with its words at a time.
//
//   boot a [at HOST] [zone Z] [cpu SHARE] [next_version] seeds a b
//   crash a / vanish a / restart a / leave a / pause a 1.2s
//   split a b | c d / cut a b / one_way a b / flap a b 200ms 5 / reset a b / clog a b 1s / calm
//   slow a 20ms / jump a 3s                      its loop takes longer; its clock jumps ahead
//   start a [timeout 2s] [rollback] [unchecked] CHILD…   a CHILD is id/type/tag/restart, x1..x300 many
//   stop a [timeout 2s] ID… / stop_prefix a c1 / stop_tag a red / metadata a ID key=value
//   client k knows a b                           k calls and casts like a node
//   call a ID add 5 #17 1.5s / cast a ID 1 #18 / broadcast a blue
//   crash_child a ID / restart_child a ID / migrate a ID b      somebody at a wants it on b
//   lock a [2s] / dispatch a global
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "transport/sim/scenario_words.hpp"
#include "transport/sim/sim_cluster.hpp"

namespace processhub::sim {

/// Plans do not say where children belong; where they must be told, it follows from their ids.
void guide(const SimCluster& cluster, std::vector<ChildSpec>& specs);

class PlanPlayer {
 public:
  explicit PlanPlayer(SimCluster& cluster) : cluster_(cluster) {}

  static bool knows(std::string_view verb);
  /// Does nothing if what it is about is not there. Throws std::invalid_argument for words without sense.
  void act(Words words);
  /// No more loss, cuts, slowness or pauses; somebody who listens at a seed address is there.
  void stop_faults();

 private:
  struct Verb {
    std::string_view name;
    void (PlanPlayer::*carry_out)(Words& words);
  };
  static const std::vector<Verb>& verbs();

  void boot(Words& words);
  void crash(Words& words);
  void vanish(Words& words);
  void restart(Words& words);
  void leave(Words& words);
  void pause(Words& words);
  void split(Words& words);
  void cut(Words& words);
  void one_way(Words& words);
  void flap(Words& words);
  void reset(Words& words);
  void reset_size(Words& words);
  void clog(Words& words);
  void calm(Words& words);
  void slow(Words& words);
  void jump(Words& words);

  void start(Words& words);
  void stop(Words& words);
  void stop_prefix(Words& words);
  void stop_tag(Words& words);
  void metadata(Words& words);
  void client(Words& words);
  void call(Words& words);
  void cast(Words& words);
  void broadcast(Words& words);
  void crash_child(Words& words);
  void restart_child(Words& words);
  void migrate(Words& words);
  void lock(Words& words);
  void dispatch(Words& words);

  /// A node that was booted in this plan, running or not; null if there is none.
  const SimNode* known(const std::string& name) const;
  const SimNode* running(const std::string& name) const;
  /// The next two words as running nodes; false if one is not.
  /// A running node, or a client: what messages come from.
  bool speaks(const std::string& name) const;
  bool two_running(Words& words, std::string& a, std::string& b) const;
  void flap_once(const std::string& a, const std::string& b, Duration period, std::uint64_t left);
  /// A node at this address, that does not leave.
  bool listens(const std::string& host) const;
  bool address_taken(const SimNode& node) const;

  SimCluster& cluster_;
  std::vector<NodeId> leaving_{};
  std::vector<std::string> seeds_{};  ///< addresses that nodes know
  bool calmed_ = false;               ///< the faults are over: nothing flaps any more
};

}  // namespace processhub::sim
