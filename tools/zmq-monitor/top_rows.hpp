// The rows of the tables in top, made from what the cluster answered. Pure.
#pragma once

#include <vector>

#include "tools/zmq-monitor/top_model.hpp"

namespace processhub::monitor {

/// In the order of TopModel::columns. `reachable`: false marks all rows as of old.
std::vector<Row> node_rows(const Json& nodes, bool reachable);
/// `node`: only its instances; empty: all, and those that run nowhere.
std::vector<Row> child_rows(const Json& children, const std::string& node);

/// One life of each name: the living one, else the latest.
Json without_earlier_lives(const Json& nodes);

}  // namespace processhub::monitor
