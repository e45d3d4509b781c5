// Hub::start: the one place that puts core, the built-in strategies and ZeroMQ together.
#include <utility>

#include "core/runtime/hub_parts.hpp"
#include "processhub/hub.hpp"
#include "processhub/strategy_catalog.hpp"
#include "strategies/builtin.hpp"
#include "transport/zmq/zmq_transport.hpp"

namespace processhub {

Result<Hub> Hub::start(HubConfig config, WorkerTypes types) {
  return start(std::move(config), std::move(types), StrategyCatalog());
}

Result<Hub> Hub::start(HubConfig config, WorkerTypes types, StrategyCatalog strategies, HookFunctions hooks) {
  auto catalog = builtin_strategies();
  catalog.add(strategies);
  runtime::HubParts parts;
  parts.types = std::move(types);
  parts.hook_functions = std::move(hooks);
  parts.make_strategies = [catalog = std::move(catalog)](const HubConfig& c) { return catalog.build(c); };
  parts.make_transport = make_zmq_transport;
  return runtime::start_hub(std::move(config), std::move(parts));
}

}  // namespace processhub
