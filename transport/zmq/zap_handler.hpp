// Answers libzmq's question whether a CURVE client may connect (ZeroMQ RFC 27), for all sockets of one
// context.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <zmq.hpp>

#include "transport/zmq/allow_list.hpp"

namespace processhub::zmq_detail {

/// Listens from the constructor on: make it before the first socket is bound, for without a handler libzmq
/// lets every client in. Its thread ends with the context: zmq_ctx_shutdown() before the destructor.
class ZapHandler {
 public:
  ZapHandler(zmq::context_t& context, AllowList allowed);  ///< throws zmq::error_t
  ZapHandler(const ZapHandler&) = delete;
  ZapHandler& operator=(const ZapHandler&) = delete;
  ~ZapHandler();

  std::uint64_t denied() const { return denied_.load(std::memory_order_relaxed); }
  /// "key ... from 10.0.0.7"; empty: nobody was.
  std::string last_denied() const;

 private:
  void run();

  zmq::socket_t socket_;  ///< the thread's own
  AllowList allowed_;     ///< the thread's own
  std::atomic<std::uint64_t> denied_{0};
  mutable std::mutex mutex_{};
  std::string last_denied_{};
  std::thread thread_{};
};

}  // namespace processhub::zmq_detail
