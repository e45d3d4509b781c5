// What stands behind testing::Cluster: the simulated cluster, its checkers, and the answers that are awaited.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "processhub/testing.hpp"
#include "transport/sim/hosted_workers.hpp"
#include "transport/sim/quiet_checks.hpp"
#include "transport/sim/safety_checks.hpp"
#include "transport/sim/sim_cluster.hpp"
#include "transport/sim/trace.hpp"

namespace processhub::testing {

class Cluster::Impl : private sim::ClusterObserver {
 public:
  explicit Impl(ClusterOptions options);
  ~Impl() override;

  /// Throws std::invalid_argument if there is none of that name.
  sim::SimNode& node(std::string_view name);
  /// Throws std::logic_error inside a worker's turn.
  void only_outside(std::string_view what) const;
  /// Throws std::invalid_argument for a config that no hub would start with.
  void check_config(const HubConfig& config) const;
  /// Why nothing can be asked of it; nothing: it runs.
  std::optional<Error> cannot_ask(std::string_view name);
  void add_node(const std::string& name, const std::vector<std::string>& seeds,
                const std::function<void(HubConfig&)>& adjust);
  void set_faults(std::string_view settings);
  std::vector<std::string> running_names() const;

  /// `done` gets the answered operation, or null if its node ended first.
  using Done = std::function<void(const sim::Operation* answered)>;
  void expect(const sim::Operation& operation, Done done);

  std::shared_ptr<sim::HostedClasses> classes;
  sim::SimCluster cluster;
  sim::TraceTail tail;
  std::optional<sim::Trace> trace{};
  sim::SafetyChecks safety;
  sim::QuietChecks quiet;
  std::vector<Violation> violations{};  ///< those of the cluster, as the user sees them

 private:
  void on_completed(const sim::Operation& operation) override;
  void on_life(const sim::SimNode& node) override;

  std::map<std::size_t, Done> open_{};  ///< by number of the operation
};

/// What a user's program would be told of a hub that is gone.
Error node_gone(const std::string& name, std::string_view how);

}  // namespace processhub::testing
