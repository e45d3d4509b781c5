// What a run costs and how quick it is: traffic, moves, how soon the end of a node is noticed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "transport/sim/owner_oracle.hpp"
#include "transport/sim/sim_cluster.hpp"

namespace processhub::sim {

struct RunMeasures {
  double node_seconds = 0;     ///< virtual seconds that nodes lived, all together
  std::uint64_t messages = 0;  ///< frames and copies of publications that were sent
  std::uint64_t bytes = 0;
  std::uint64_t moves = 0;  ///< activations that were moves or takeovers
  /// Changes of a child's owner, had every start and end of a node been known at once to all. More moves than
  /// these come from wrong beliefs, as behind a cut; fewer, from nodes that came back in time.
  std::uint64_t moves_needed = 0;
  std::uint64_t crashes = 0;              ///< ends of nodes that were neither leaves nor their own will
  std::vector<Duration> first_noticed{};  ///< of each end of a node that was not a leave
  std::vector<Duration> all_noticed{};    ///< when the last of those who believed it up learnt of it
};

class Measures : public ClusterObserver {
 public:
  explicit Measures(SimCluster& cluster);

  void on_life(const SimNode& node) override;
  void on_turn(const SimNode& node) override;
  RunMeasures result() const;

 private:
  struct Death {
    NodeId node{};
    Time at{};
    bool noticed = false;
    std::set<NodeId> unaware{};
  };
  void count_needed_moves();
  void begin_death(const SimNode& node);

  SimCluster& cluster_;
  OwnerOracle oracle_;
  std::map<NodeId, Time> alive_since_{};
  double node_seconds_ = 0;
  std::uint64_t moves_needed_ = 0;
  std::vector<Death> deaths_{};
  RunMeasures noticed_{};
};

}  // namespace processhub::sim
