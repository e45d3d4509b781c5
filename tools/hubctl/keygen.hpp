// `hubctl keygen`: the one verb that needs no cluster.
#pragma once

#include <processhub/result.hpp>

#include "tools/hubctl/command_line.hpp"
#include "tools/hubctl/json_payload.hpp"

namespace processhub::hubctl {

/// Writes NAME.key and NAME.pub, into a new folder if need be; tells their paths and the public key. Existing
/// files are an error (ErrorCode::system).
Result<Json> run_keygen(const Command& command);

}  // namespace processhub::hubctl
