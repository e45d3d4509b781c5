// A cluster of node processes on this machine, driven by the parent. All processes end with the object. One
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/hub-bench/board.hpp"
#include "tools/hub-bench/node_process.hpp"

namespace processhub::hub_bench {

class Cluster {
 public:
  /// `weights`: of each node, 1 for those not named. Returns when all nodes are up and see each other.
  explicit Cluster(std::uint32_t nodes, const std::vector<double>& weights = {});

  static std::string name(std::uint32_t node) { return "n" + std::to_string(node); }
  NodeProcess& node(std::uint32_t index) { return nodes_.at(index); }
  const std::string& endpoint(std::uint32_t node) const { return endpoints_.at(node); }
  NodeSlot& slot(std::uint32_t index) { return board_->nodes.at(index); }
  const Board& board() const { return *board_; }

  /// A process whose hub is not started yet.
  void prepare_node();
  /// Starts the hub of the last process; returns the time just before that. The registries of all are watched
  /// from now on.
  std::int64_t join_last(std::uint64_t children);
  /// Watches all registries for `children` of them, none on node `avoid`.
  void watch(std::uint64_t children, const std::string& avoid = {});
  /// SIGKILL; returns the time just before that.
  std::int64_t kill(std::uint32_t index);

  /// Until every living node's registry shows exactly the watched children, all running, with one digest;
  /// then until that has not changed for `settle`. Returns when the last of them came to it. `also`: a
  /// condition more.
  template <class Also>
  std::int64_t agreed(std::chrono::milliseconds settle, Also also) const;
  std::int64_t agreed(std::chrono::milliseconds settle) const {
    return agreed(settle, [] { return true; });
  }

  struct Census {
    std::uint64_t lost = 0;     ///< children without a living worker, or with none in a registry
    std::uint64_t doubled = 0;  ///< with more than one, now or at any start
  };
  /// What really runs, counted by the workers themselves, and what the registries say.
  Census census(std::uint64_t children);
  std::uint64_t live_on(std::uint32_t index) const;

 private:
  Json hub_command(std::uint32_t index, double weight) const;
  bool agree() const;
  std::int64_t last_change() const;
  void wait_nodes();
  void expect_in_time(std::int64_t deadline) const;

  SharedBoard board_;
  std::string hub_id_;
  std::uint64_t watch_ = 0;
  std::uint64_t watched_ = 0;
  std::vector<std::string> endpoints_{};
  std::vector<NodeProcess> nodes_{};
};

/// Waits a little between two looks at the board.
void pause_between_looks();

template <class Also>
std::int64_t Cluster::agreed(std::chrono::milliseconds settle, Also also) const {
  const auto quiet = std::chrono::nanoseconds(settle).count();
  const auto deadline = now_ns() + 120'000'000'000LL;
  while (true) {
    const auto changed = last_change();
    if (agree() && also() && now_ns() - changed > quiet && last_change() == changed) return changed;
    expect_in_time(deadline);
    pause_between_looks();
  }
}

}  // namespace processhub::hub_bench
