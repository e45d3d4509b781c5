// All hubs of one process, from their configuration to their end.
#pragma once

#include <string>
#include <vector>

#include "processhub/config.hpp"
#include "processhub/hub.hpp"
#include "processhub/result.hpp"
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
  explicit Daemon(std::vector<Hub> hubs) : hubs_(std::move(hubs)) {}
  bool report_terminated() const;
  bool stop_all(Signals& signals);

  std::vector<Hub> hubs_;
};

}  // namespace processhub::hubd
