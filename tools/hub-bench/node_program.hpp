// The program of a node process: takes commands from stdin, one JSON line each, and answers on stdout.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "processhub/processhub.hpp"
#include "tools/hub-bench/board.hpp"
#include "tools/hub-bench/node_process.hpp"
#include "tools/hub-bench/raw_zmq.hpp"
#include "tools/hub-bench/watcher.hpp"

namespace processhub::hub_bench {

class NodeProgram {
 public:
  NodeProgram(std::uint32_t slot, int board_descriptor);
  /// Until stdin ends; the process's exit code.
  int run();

 private:
  using Command = Json (NodeProgram::*)(const Json&);
  static Command find(const std::string& name);
  Json answer(const std::string& line);

  Json hub(const Json& command);
  Json wait_nodes(const Json& command);
  Json watch(const Json& command);
  Json start(const Json& command);
  Json start_busy(const Json& command);
  Json stop(const Json& command);
  Json count_instances(const Json& command);
  Json memory(const Json& command);
  Json find_on(const Json& command);
  // node_load.cpp
  Json lookups(const Json& command);
  Json blocking_calls(const Json& command);
  Json pipelined_calls(const Json& command);
  Json casts(const Json& command);
  Json worker_casts(const Json& command);
  Json ping_pong(const Json& command);
  Json raw_server(const Json& command);
  Json raw_client(const Json& command);

  Json started(const Future<StartResult>& future, std::int64_t since) const;
  NodeSlot& own_slot() const { return board_->nodes[slot_]; }
  void wait_handled(const NodeSlot& slot, std::uint64_t goal) const;

  const std::uint32_t slot_;
  const SharedBoard board_;
  std::optional<Hub> hub_{};
  std::unique_ptr<Watcher> watcher_{};
  std::unique_ptr<RawServer> raw_{};
};

}  // namespace processhub::hub_bench
