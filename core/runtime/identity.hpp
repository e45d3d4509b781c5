// Names and numbers that nobody else has: of clients, and nonces.
#pragma once

#include <cstdint>
#include <string_view>

#include "processhub/ids.hpp"

namespace processhub::runtime {

/// 64 bits from the system.
std::uint64_t random_number();
/// "hubctl-PID-NUMBER", for one conversation: sessions are told apart by it.
NodeId fresh_client(std::string_view program);

}  // namespace processhub::runtime
