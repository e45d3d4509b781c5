// Messages about how busy the nodes are (see Balancer).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/protocol/codec.hpp"
#include "processhub/ids.hpp"

namespace processhub::protocol {

/// To the leader.
struct LoadReport {
  static constexpr std::string_view name = "load_report";
  double cpu = 0;
  double run_queue = 0;
  double memory = 0;
  PROCESSHUB_FIELDS(cpu, run_queue, memory)
};

struct NodeBusy {
  NodeId node{};
  double busy = 0;
  std::uint64_t children = 0;  ///< with those that are on their way to it
  PROCESSHUB_FIELDS(node, busy, children)
};

/// What the leader has gathered.
struct LoadBoard {
  static constexpr std::string_view name = "load_board";
  std::uint64_t ask = 0;  ///< the LoadAsk that it answers; 0: none
  std::vector<NodeBusy> nodes{};
  PROCESSHUB_FIELDS(ask, nodes)
};

/// The sender is about to place so many children.
struct LoadAsk {
  static constexpr std::string_view name = "load_ask";
  std::uint64_t ask = 0;
  std::uint64_t count = 0;
  PROCESSHUB_FIELDS(ask, count)
};

}  // namespace processhub::protocol
