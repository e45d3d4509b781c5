// What the page shows of a cluster, made of two looks a while apart. Pure, as views.hpp.
#pragma once

#include "tools/zmq-monitor/doctor.hpp"

namespace processhub::monitor {

/// Below what the share `q` of the values lies that a histogram took up between two looks, in seconds; linear
/// within a bucket. Negative: there was none.
double quantile_between(const NodeLook* before, const NodeLook& now, const std::string& metric, double q);

/// {"time_us","hub","nodes":[row],"links":[{"from","to","state","queued"}],"moves":[{"id","from","to",
/// "phase"}],"findings":[finding]}. A row is that of top_view, with "up_ms", "lag_ms", "call_p50_ms",
/// "call_p99_ms" (null without calls), "calls_per_s", "frozen", "drained", "partitioned", "joined" added.
/// Rates are null for a node that the look before did not show.
Json live_view(const Examination& of);

}  // namespace processhub::monitor
