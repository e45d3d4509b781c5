#include "core/hash.hpp"

#define XXH_INLINE_ALL  // short keys cost half of a call into the shared library
#include <xxhash.h>

namespace processhub {

std::uint64_t hash64(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace processhub
