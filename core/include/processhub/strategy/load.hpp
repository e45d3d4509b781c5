// How busy nodes are, for distributions that place by it: what is measured, and the rules that decide. Pure:
// the numbers come in, a choice goes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "processhub/ids.hpp"
#include "processhub/time.hpp"

namespace processhub {

/// What a machine says of itself at one moment.
struct LoadSample {
  double cpu = 0;        ///< share of its processors in use since the last sample, 0 to 1
  double run_queue = 0;  ///< threads that wait for a processor
  double memory = 0;     ///< share in use, 0 to 1
};

/// What is known of a node when a choice is made.
struct NodeLoad {
  NodeId node{};
  double weight = 1.0;         ///< its option
  double busy = 0;             ///< what LoadRules::busy() made of its samples; 0: idle, or nothing is known
  std::uint64_t children = 0;  ///< that it has, or is about to get
};

/// So many children shall go from one node to another.
struct LoadShift {
  NodeId from{};
  NodeId to{};
  std::size_t count = 0;
};

class LoadRules {
 public:
  virtual ~LoadRules() = default;
  /// How often nodes are measured.
  virtual Duration push_interval() const = 0;
  /// How many samples of a node are kept.
  virtual std::size_t max_history() const = 0;
  /// From the samples of one node, the newest last.
  virtual double busy(std::span<const LoadSample> history) const = 0;
  /// Where the next child goes: the place in `nodes`, which is not empty.
  virtual std::size_t next(std::span<const NodeLoad> nodes) const = 0;
  /// What shall move now, though all nodes live; nothing unless it rebalances.
  virtual std::vector<LoadShift> shifts(std::span<const NodeLoad> nodes) const = 0;
};

}  // namespace processhub
