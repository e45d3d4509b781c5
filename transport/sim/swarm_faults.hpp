// The bad luck of a swarm run: which faults this seed has, and when they strike.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transport/sim/sim_cluster.hpp"

namespace processhub::sim {

/// A mix in which each fault is present or not: rare combinations appear as often as common ones.
Faults draw_faults(Rng& rng);

class SwarmFaults {
 public:
  /// `nodes`: how many the cluster starts with; a few more may join.
  SwarmFaults(SimCluster& cluster, Rng rng, std::uint32_t nodes);

  /// Boots the first nodes, most at once, some a little later.
  void boot();
  /// One thing goes wrong, or right again.
  void act();
  /// No more loss, cuts or pauses; somebody who listens at a seed address is there.
  void stop();
  /// Cuts the running nodes cleanly in two groups.
  void split();
  /// Cuts two nodes from each other, where a third one reaches both.
  void cut_in_mesh();
  /// The actions this seed has.
  std::string str() const;

 private:
  enum class Action : std::uint8_t {
    crash,
    vanish,
    restart,
    join,
    leave,
    pause,
    split,
    cut_pair,
    cut_one_way,
    reset,
    clog,
    heal
  };
  static std::string_view name_of(Action action);

  void crash(SimNetwork::Detach how);
  void restart();
  void join();
  void leave();
  void pause();
  void cut(bool both_ways);
  void clog();
  void calm();
  void add(const std::string& name);
  /// Empty if there is none.
  std::string any_running();
  std::vector<std::string> two_running();

  SimCluster& cluster_;
  Rng rng_;
  std::vector<std::string> initial_{};
  std::vector<std::string> seeds_{};
  std::vector<std::string> spare_{};  ///< names that may join
  std::vector<Action> actions_{};
};

}  // namespace processhub::sim
