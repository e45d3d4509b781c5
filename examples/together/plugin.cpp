// Brings the distribution `together` to hubd.
#include <processhub/plugin.hpp>

#include "together.hpp"

namespace {

void register_plugin(processhub::PluginRegistry& registry) {
  registry.strategies.add_distribution("together", make_together);
}

}  // namespace

PROCESSHUB_PLUGIN(register_plugin)
