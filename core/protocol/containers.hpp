// The one place that names the hash map and the small vector of the core (Abseil's). A HashMap is never
// iterated: its order differs between runs.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/inlined_vector.h>

#include <functional>
#include <string>
#include <string_view>

#include "core/hash.hpp"
#include "processhub/ids.hpp"

namespace processhub::protocol {

struct UidHash {
  std::size_t operator()(const Uid& u) const { return static_cast<std::size_t>(u.hash()); }
};

struct NodeIdHash {
  std::size_t operator()(NodeId n) const { return static_cast<std::size_t>(n.hash()); }
};

template <class K, class V, class H = typename absl::flat_hash_map<K, V>::hasher>
using HashMap = absl::flat_hash_map<K, V, H>;

/// Looked up by string_view without making a string.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view v) const { return static_cast<std::size_t>(hash64(v)); }
};

template <class V>
using StringMap = absl::flat_hash_map<std::string, V, TextHash, std::equal_to<>>;

template <class T, std::size_t N>
using SmallVector = absl::InlinedVector<T, N>;

}  // namespace processhub::protocol
