// A configuration as a file that says it all: every option with its meaning and the value it has there.
#pragma once

#include <string>

#include "processhub/config.hpp"
#include "processhub/export.hpp"

namespace processhub::config {

/// Read back, it gives the same configuration. NodeConfig::describe_options() is the same for the defaults.
PROCESSHUB_API std::string describe(const NodeConfig& node);

}  // namespace processhub::config
