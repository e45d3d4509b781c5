// How many peers the limits of this process allow.
#pragma once

#include <cstdint>

namespace processhub::zmq_detail {

struct Capacity {
  std::uint64_t open_files = 0;  ///< soft limit, as raised
  int sockets = 0;               ///< for ZMQ_MAX_SOCKETS of one context
  std::uint64_t peers = 0;       ///< about
};

/// Raises the soft limit of open files to the hard one, once per process; then counts.
Capacity claim_capacity();

/// libzmq aborts the program if it cannot open the descriptors its threads need: to be asked before a context
/// starts.
bool has_descriptors_for_a_context();

}  // namespace processhub::zmq_detail
