// Doctor: everything that is worth telling about a cluster's health, and what to do about it. Pure, as
// views.hpp.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tools/zmq-monitor/views.hpp"

namespace processhub::monitor {

enum class Severity : std::uint8_t { ok, warning, critical };
std::string_view to_string(Severity severity);

struct Finding {
  Severity severity = Severity::ok;
  std::string check{};  ///< short and stable, for programs: "one_way", "silent_node"
  std::string node{};   ///< empty: the cluster
  std::string text{};
  std::string advice{};  ///< what to do
};

/// What the doctor looks at: two looks, a while apart, and the newest events of each node.
struct Examination {
  ClusterLook before{};
  ClusterLook now{};
  double seconds = 1;
  std::vector<std::pair<std::string, Json>> journals{};  ///< by node
  std::int64_t now_us = 0;                               ///< of the system's clock
};

/// The gravest first; empty: all is well.
std::vector<Finding> examine(const Examination& of);
Severity worst(const std::vector<Finding>& findings);
Json to_json(const std::vector<Finding>& findings);

}  // namespace processhub::monitor
