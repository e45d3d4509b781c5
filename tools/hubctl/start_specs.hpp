// The child specs of `hubctl start`, from the command line or from a file with one JSON object per line.
#pragma once

#include "tools/hubctl/command_line.hpp"
#include "tools/hubctl/json_payload.hpp"

namespace processhub::hubctl {

/// An array of specs as the `start` request carries them. Errors are usage errors: they name the option, or
/// file and line.
Result<Json> specs_of(const Command& command);

}  // namespace processhub::hubctl
