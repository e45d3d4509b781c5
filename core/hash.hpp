// One stable hash for placement, digests and tables: the same bytes give the same value on every machine and
// version. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace processhub {

/// XXH3, 64 bits, seed 0. Part of the wire protocol: nodes that hash differently would place children
/// differently.
std::uint64_t hash64(std::string_view bytes);

}  // namespace processhub
