// The views as people read them.
#pragma once

#include <ostream>

#include "tools/zmq-monitor/doctor.hpp"

namespace processhub::monitor {

void print_top(std::ostream& out, const Json& rows);
void print_membership(std::ostream& out, const Json& view);
void print_locks(std::ostream& out, const Json& nodes);
void print_links(std::ostream& out, const Json& links);
/// Of what came to a node's own addresses only what went wrong.
void print_sockets(std::ostream& out, const Json& sockets);
void print_registry_diff(std::ostream& out, const Json& diff);
void print_explanation(std::ostream& out, const Json& child);
/// A line an event: "12:00:00.123 a moves: taken over from b/1: 1 child (x)".
void print_events(std::ostream& out, const Json& events);
void print_findings(std::ostream& out, const std::vector<Finding>& findings);
/// One line, as Nagios wants it.
void print_nagios(std::ostream& out, const std::vector<Finding>& findings);

}  // namespace processhub::monitor
