// The metrics of all hubs of the process over HTTP, for Prometheus (prometheus-cpp stands behind it).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "processhub/metrics.hpp"
#include "processhub/result.hpp"

namespace processhub::hubd {

class MetricsServer {
 public:
  /// Called for every request, on a thread of the server, until the server is destroyed.
  using Source = std::function<std::vector<Metrics>()>;

  /// Answers at http://HOST:PORT/metrics. Error: the address cannot be bound.
  static Result<MetricsServer> start(const std::string& address, Source source);
  MetricsServer(MetricsServer&&) noexcept;
  MetricsServer& operator=(MetricsServer&&) noexcept;
  ~MetricsServer();

  std::uint16_t port() const;

 private:
  class Impl;
  explicit MetricsServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace processhub::hubd
