// What a hubd process tells Prometheus.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "tests/live/support/process_cluster.hpp"
#include "tests/support/http_client.hpp"

namespace live {

/// The port behind "metrics: http://127.0.0.1:" in the node's log.
inline std::uint16_t metrics_port(const ProcessCluster& cluster, const std::string& node) {
  const std::string mark = "metrics: http://127.0.0.1:";
  REQUIRE(eventually([&] { return cluster.log(node).find(mark) != std::string::npos; }));
  const auto log = cluster.log(node);
  return static_cast<std::uint16_t>(std::stoi(log.substr(log.find(mark) + mark.size())));
}

/// The whole answer to GET /metrics, with its head.
inline std::string scrape(std::uint16_t port) {
  return http_client::get(port, "/metrics", {"Connection: close"});
}

/// The first value of a metric.
inline double scraped(std::uint16_t port, const std::string& metric) {
  const auto text = scrape(port);
  const auto at = text.find("\n" + metric + "{");
  REQUIRE(at != std::string::npos);
  return std::stod(text.substr(text.find("} ", at) + 2));
}

}  // namespace live
