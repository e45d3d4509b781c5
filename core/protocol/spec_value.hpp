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

/// What users edit. With a version of its own: an edit on one node and a failure on another, or a move, at
/// the same time are both kept.
struct Noted {
  std::uint64_t version = 0;
  NodeId writer{};
  std::optional<Metadata> metadata{};
  PROCESSHUB_FIELDS(version, writer, metadata)
};

/// The part of a spec that changes; of each of its parts the highest (version, writer) wins.
struct SpecValue {
  std::uint64_t version = 0;
  NodeId writer{};
  bool failed = false;
  std::string why{};
  NodeId placement{};
  Noted noted{};
  Placed placed{};
  PROCESSHUB_FIELDS(version, writer, failed, why, placement, noted, placed)

  /// A copy that wins over this one, to be changed by `by`.
  SpecValue next(NodeId by) const {
    auto value = *this;
    ++value.version;
    value.writer = by;
    return value;
  }
  /// The same for its metadata.
  SpecValue noted_as(Metadata metadata, NodeId by) const {
    auto value = *this;
    value.noted = {noted.version + 1, by, std::move(metadata)};
    return value;
  }
  /// The same for its place.
  SpecValue placed_at(std::vector<NodeId> nodes, NodeId by) const {
    auto value = *this;
    value.placed = {placed.version + 1, by, std::move(nodes)};
    return value;
  }
  bool is_set() const { return version > 0 || noted.version > 0 || placed.version > 0; }
};

struct UidValue {
  Uid uid{};
  SpecValue value{};
  PROCESSHUB_FIELDS(uid, value)
};

}  // namespace processhub::protocol
