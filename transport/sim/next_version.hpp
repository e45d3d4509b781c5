// A node from the future: the same core, but what it sends is what version N+1 of the protocol might send.
// Its hello offers both versions, every message has a field at its end that nobody knows yet, and frames
// carry a message of a kind that nobody knows. Version N must not mind.
#pragma once

#include "transport/sim/core_port.hpp"

namespace processhub::sim {

CoreFactory next_version_cores(CoreFactory make_core);

/// What version N+1 would send instead of this frame; for tests.
Bytes next_version_frame(const Bytes& frame);

}  // namespace processhub::sim
