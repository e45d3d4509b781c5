// All hubs of one process, from their configuration to their end.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/runtime/logging.hpp"
#include "processhub/config.hpp"
#include "processhub/hub.hpp"
#include "processhub/result.hpp"
#include "tools/hubd/metrics_server.hpp"
#include "tools/hubd/signals.hpp"

namespace processhub::hubd {

class Daemon {
 public:
  /// Loads the plugins and starts every hub in order. Errors: `invalid` for what the configuration asks, else
  /// runtime.
  static Result<Daemon> start(const NodeConfig& config);

  /// The bound address of each hub, in order.
  std::vector<std::string> addresses() const;
  /// Until a signal comes or a hub ends by itself; then all leave their clusters. The exit code of the
  /// program.
  int run(Signals& signals);

 private:
  Daemon(std::shared_ptr<std::vector<Hub>> hubs, runtime::Logger log)
      : hubs_(std::move(hubs)), log_(std::move(log)) {}
  Result<void> offer_metrics(const std::string& address);
  bool report_terminated() const;
  bool leave(Hub& hub) const;
  bool stop_all(Signals& signals);

  std::shared_ptr<std::vector<Hub>> hubs_;
  runtime::Logger log_;
  std::optional<MetricsServer> metrics_{};
};

}  // namespace processhub::hubd
