// The metrics of a hub, made from what its loop, its core and its workers count. To add one: a line in
// hub_metrics.cpp.
#pragma once

#include <cstddef>

#include "core/runtime/cluster_view.hpp"
#include "core/runtime/worker_host.hpp"
#include "processhub/config.hpp"
#include "processhub/metrics.hpp"

namespace processhub::runtime {

struct MetricSources {
  const protocol::ClusterSnapshot& cluster;
  HubStats stats{};
  LoopMeters meters{};
  WorkerHost::Counters workers{};
  WorkerHost::Load load{};
  std::size_t commands_waiting = 0;
  const HubConfig& config;
};

/// Without node and hub.
Metrics make_metrics(const MetricSources& from);

}  // namespace processhub::runtime
