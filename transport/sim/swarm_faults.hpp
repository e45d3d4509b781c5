// The bad luck of a swarm run: which faults this seed has, and when they strike. Draws lines of a plan.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transport/sim/plan.hpp"

namespace processhub::sim {

/// Present with the probability, then anything up to the maximum.
double maybe(Rng& rng, double probability, double maximum);

/// A mix in which each fault is present or not: rare combinations appear as often as common ones.
Faults draw_faults(Rng& rng);

class SwarmFaults {
 public:
  /// `nodes`: how many the cluster starts with; a few more may join.
  SwarmFaults(const SimCluster& cluster, Rng rng, std::uint32_t nodes);

  /// Boots the first nodes, most at once, some a little later.
  std::vector<PlannedAction> draw_boot();
  /// One thing goes wrong, or right again; empty: nothing is there that could.
  Words draw();
  /// A node that was not there before; empty: all have been.
  Words join();
  /// Cuts the running nodes cleanly in two groups.
  Words split();
  /// Cuts two nodes from each other, where a third one reaches both.
  Words cut_in_mesh();
  /// The actions this seed has.
  std::string str() const;
  const std::vector<std::string>& seeds() const { return seeds_; }

 private:
  Words crash(const char* how);
  Words restart();
  Words leave();
  Words pause();
  Words cut(const char* how);
  Words clog();
  Words boot(const std::string& name) const;
  /// Empty if there is none.
  std::string any_running();
  std::vector<std::string> two_running();

  const SimCluster& cluster_;
  Rng rng_;
  std::vector<std::string> initial_{};
  std::vector<std::string> seeds_{};
  std::vector<std::string> spare_{};  ///< names that may join
  std::vector<std::string> actions_{};
};

}  // namespace processhub::sim
