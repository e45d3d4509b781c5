// What must hold at every step, whatever the network does. Broken promises go to SimCluster::report().
//
//   I4  a second active instance is never started within an agreed view; no two activations are equal; no
//   worker that the
//       core does not know; serials are used once
//   I6  every request is answered once, within its timeout
//   I8  hooks come in order (hook_checks.hpp)
//   I10 no turn starts later than the lease after the loss of quorum (quorum_checks.hpp)
//   I3  (kept for the quiet check) what was acknowledged, and who knew it then
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "transport/sim/hook_checks.hpp"
#include "transport/sim/owner_oracle.hpp"
#include "transport/sim/quorum_checks.hpp"
#include "transport/sim/sim_cluster.hpp"

namespace processhub::sim {

/// An acknowledged start or stop of one child.
struct Acknowledged {
  std::size_t operation = 0;  ///< Operation::number
  std::string id{};
  bool start = true;
  Uid uid{};                   ///< of a start, as the answering node knew it
  std::set<NodeId> holders{};  ///< who knew the fact when it was acknowledged
};

class SafetyChecks : public ClusterObserver {
 public:
  /// Answers may come this much after the timeout (a loop turn, a paused worker).
  static constexpr Duration kAnswerSlack{1'000'000};
  /// A leave whose drain timed out still says its last words.
  static constexpr Duration kFarewell{2'000'000};
  /// Requests without a timeout of their own end within this.
  static constexpr Duration kUntimedLimit{60'000'000};

  explicit SafetyChecks(SimCluster& cluster);

  void on_effect(const SimNode& node, const protocol::Effect& effect) override;
  void on_turn(const SimNode& node) override;
  void on_life(const SimNode& node) override;
  void on_completed(const Operation& operation) override;
  void on_note(const std::string& text) override;

  const std::vector<Acknowledged>& acknowledged() const { return acknowledged_; }
  /// Requests that should have been answered by now, on nodes that live.
  void check_overdue();
  /// Pairs of hooks that are still open on nodes that live, as text; empty: none.
  std::string open_hooks() const { return hooks_.open(); }

 private:
  void on_start_worker(const SimNode& node, const protocol::effect::StartWorker& start);
  void on_set_role(const SimNode& node, const protocol::effect::SetRole& change);
  void on_resume(const SimNode& node, const protocol::effect::ResumeWorker& resume);
  void check_activation(const SimNode& node, const Activation& known,
                        const protocol::effect::SetRole& change);
  void check_generation(const SimNode& node, const protocol::effect::StartWorker& start);
  void check_agreed_view(const SimNode& node, const protocol::effect::StartWorker& start);
  void settle_acknowledged(const SimNode& node);
  void check_copies(const SimNode& node, const Acknowledged& fact);
  bool overdue(const Operation& operation, Time when, Duration paused) const;

  SimCluster& cluster_;
  OwnerOracle oracle_;  ///< only for what does not depend on the members
  std::map<NodeId, std::set<std::uint64_t>> serials_{};
  std::set<std::tuple<NodeId, std::uint64_t, Generation>> merged_{};
  std::map<std::pair<Uid, Generation>, std::pair<NodeId, std::uint64_t>>
      generations_{};  ///< to node and serial
  HookChecks hooks_;
  QuorumChecks quorum_;
  std::vector<Acknowledged> acknowledged_{};
  std::vector<std::size_t>
      unsettled_{};  ///< indices into acknowledged_ whose holders are taken at the end of the turn
};

}  // namespace processhub::sim
