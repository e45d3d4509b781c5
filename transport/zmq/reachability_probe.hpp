// One non-blocking TCP connect() to find out whether anybody listens at an address: libzmq does not tell.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "transport/zmq/unique_fd.hpp"

namespace processhub::zmq_detail {

enum class ProbeOutcome : std::uint8_t {
  refused,       ///< the machine answered, and nobody listens there
  inconclusive,  ///< somebody listens, or the network does not say
};

class ReachabilityProbe {
 public:
  static constexpr std::chrono::milliseconds kPatience{250};  ///< the caller gives up after this

  /// `ipv4` in network byte order. The outcome if it is known at once; else wait until fd() is writable.
  std::optional<ProbeOutcome> start(std::uint32_t ipv4, std::uint16_t port);
  /// After fd() became writable.
  ProbeOutcome outcome() const;
  bool running() const { return static_cast<bool>(socket_); }
  int fd() const { return socket_.get(); }
  void cancel() { socket_.reset(); }

 private:
  UniqueFd socket_{};
};

}  // namespace processhub::zmq_detail
