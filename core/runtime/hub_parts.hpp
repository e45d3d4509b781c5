// Core's form of Hub::start: it takes its parts, so that core knows neither the strategies nor ZeroMQ. They
// are factories, because promote() makes a second node of the same hub.
#pragma once

#include <functional>
#include <memory>

#include "processhub/config.hpp"
#include "processhub/hub.hpp"
#include "processhub/strategy_catalog.hpp"
#include "processhub/transport.hpp"
#include "processhub/worker.hpp"

namespace processhub::runtime {

struct HubParts {
  WorkerTypes types{};
  HookFunctions hook_functions{};
  std::function<Result<StrategySet>(const HubConfig&)> make_strategies{};
  /// Called only if `listen` is set. The transport is neither bound nor shared.
  std::function<Result<std::unique_ptr<Transport>>(const HubConfig&)> make_transport{};
};

/// Checks the config and the types, binds, and starts the threads. The hub joins its cluster in the
/// background.
PROCESSHUB_API Result<Hub> start_hub(HubConfig config, HubParts parts);

}  // namespace processhub::runtime
