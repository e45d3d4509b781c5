// Loads plugins (see <processhub/plugin.hpp>). Call it before a hub starts; one thread.
#pragma once

#include <string>

#include "processhub/export.hpp"
#include "processhub/plugin.hpp"
#include "processhub/result.hpp"

namespace processhub::runtime {

/// Opens the shared library `path` (a path, never searched for), checks what it exports and lets it register.
/// It is never unloaded: workers run its code. Error: one line that names the file and what is wrong with it.
PROCESSHUB_API Result<void> load_plugin(const std::string& path, PluginRegistry& registry);

/// Whether this build can use that plugin; the error says what differs. Reads no field that another ABI may
/// lack.
PROCESSHUB_API Result<void> check_plugin(const PluginInfo& info);

}  // namespace processhub::runtime
