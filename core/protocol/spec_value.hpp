// The part of a spec that changes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/protocol/codec.hpp"
#include "processhub/child.hpp"
#include "processhub/ids.hpp"

namespace processhub::protocol {

/// Where a child was placed by load, once that is not SpecRecord::first any more. Nobody's wish: so it has a
/// version of its own, and takes no change of a user's away.
struct Placed {
  std::uint64_t version = 0;
  NodeId writer{};
  std::vector<NodeId> nodes{};
  PROCESSHUB_FIELDS(version, writer, nodes)
};

/// The part of a spec that changes; the highest (version, writer) wins.
struct SpecValue {
  std::uint64_t version = 0;
  NodeId writer{};
  bool failed = false;
  std::string why{};
  NodeId placement{};
  std::optional<Metadata> metadata{};
  Placed placed{};
  PROCESSHUB_FIELDS(version, writer, failed, why, placement, metadata, placed)

  /// A copy that wins over this one, to be changed by `by`.
  SpecValue next(NodeId by) const {
    auto value = *this;
    ++value.version;
    value.writer = by;
    return value;
  }
  /// The same for its place.
  SpecValue placed_at(std::vector<NodeId> nodes, NodeId by) const {
    auto value = *this;
    value.placed = {placed.version + 1, by, std::move(nodes)};
    return value;
  }
  bool is_set() const { return version > 0 || placed.version > 0; }
};

struct UidValue {
  Uid uid{};
  SpecValue value{};
  PROCESSHUB_FIELDS(uid, value)
};

}  // namespace processhub::protocol
