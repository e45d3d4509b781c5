// What all members of a cluster must have alike: its text, which travels in every hello, and what two texts
// differ in, for people.
#pragma once

#include <string>
#include <string_view>

#include "processhub/config.hpp"
#include "processhub/ids.hpp"

namespace processhub::protocol {

/// One "key=value" a line: "redundancy=replication", "redundancy.factor=3".
std::string cluster_wide_options(const HubConfig& config);

/// "cluster-wide options differ: redundancy.factor is '3' on a/1, '2' on b/1". Bounded, whatever the texts
/// are: one of them comes from somebody else.
std::string options_difference(NodeId a, std::string_view of_a, NodeId b, std::string_view of_b);

}  // namespace processhub::protocol
