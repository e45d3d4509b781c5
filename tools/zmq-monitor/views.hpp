// What zmq-monitor shows, as JSON made from looks at the cluster. Pure: no clock, no network; tests give it
// looks of their own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/hubctl/cluster_look.hpp"

namespace processhub::monitor {

using hubctl::ClusterLook;
using hubctl::Json;
using hubctl::NodeLook;
using hubctl::Question;

/// What every view needs of a node, in this order.
enum Asked : std::size_t { kStatus = 0, kInspect = 1, kMetrics = 2 };
const std::vector<Question>& look_questions();

/// The value of a metric in a node's answer, summed over the series whose labels contain `label`=`of` (all,
/// if `label` is empty).
double metric(const NodeLook& node, const std::string& name, const std::string& label = {},
              const std::string& of = {});

/// One row a node. Rates are what changed from `before` to `now`, divided by `seconds`.
Json top_view(const ClusterLook& before, const ClusterLook& now, double seconds);
/// Each node's view of each other one: {"names", "rows":[{"node","sees":{name: state}}],
/// "differences":[text]}.
Json membership_view(const ClusterLook& look);
Json locks_view(const ClusterLook& look);
/// Each link with "socket" and "subscription", what ZeroMQ tells of its two connections.
Json links_view(const ClusterLook& look);
/// What came to each node's own addresses, and who reads what it publishes.
Json sockets_view(const ClusterLook& look);
/// Digests of each node, and of which children the entries differ. `lists`: what each node lists, by name.
Json registry_diff(const ClusterLook& look, const std::vector<std::pair<std::string, Json>>& lists);
/// `answers`: what each node says of the child, by name.
Json explain_view(const std::string& id, const std::vector<std::pair<std::string, Json>>& answers);
/// Whether an event is about a child or node; empty: every one is.
bool is_about(const Json& event, const std::string& subject);
/// Events of all nodes that name `subject` (empty: all), by time. `journals`: by node.
Json timeline_view(const std::string& subject, const std::vector<std::pair<std::string, Json>>& journals);

}  // namespace processhub::monitor
