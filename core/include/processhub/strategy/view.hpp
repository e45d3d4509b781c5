// What strategies see of the cluster: a read-only view, ordered by name. Handed to them for one call; keep no
// reference.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "processhub/export.hpp"
#include "processhub/ids.hpp"
#include "processhub/time.hpp"

namespace processhub {

struct MemberView {
  NodeId id{};
  double weight = 1.0;
  std::string zone{};
  std::vector<std::string> roles{};
  std::uint64_t joined =
      0;  ///< who came later has a higher number; nodes that came at once may have equal ones
};

/// Members that may own children: synced, up, not leaving; ordered by NodeId. `self` may or may not be among
/// them.
struct HubView {
  NodeId self{};
  Time now{};
  std::vector<MemberView> members{};
  std::size_t up_count = 0;  ///< all members believed up, also joining and leaving ones
};

/// "a, b, c", for error texts.
PROCESSHUB_API std::string names_of(const HubView& view);

/// What distribution may look at to place a child.
struct ChildKey {
  std::string_view id{};
  std::uint64_t id_hash = 0;             ///< hash of id, stable over machines
  NodeId explicit_node{};                ///< set by migrate or a balancer; empty: none
  std::span<const std::string> nodes{};  ///< names given in its spec
  /// Where it was placed by load, best first, some of them perhaps gone; empty with other distributions.
  std::span<const NodeId> placed{};
};

}  // namespace processhub
