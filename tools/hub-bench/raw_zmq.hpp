// The floor: ZeroMQ alone doing what the hub does, DEALER against ROUTER, one I/O thread each, 64-byte
// messages.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace processhub::hub_bench {

/// Answers on a thread of its own until it is destroyed.
class RawServer {
 public:
  RawServer();
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  std::string endpoint() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class RawClient {
 public:
  explicit RawClient(const std::string& endpoint);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// ns of each of `count` round trips, one after the other.
  std::vector<double> round_trips(std::uint64_t count);
  /// Round trips per second with `in_flight` on the way, `batch` of them in one ZeroMQ message.
  double pipelined(std::uint64_t count, std::uint64_t in_flight, std::uint64_t batch);
  /// Messages per second one way, 64 KiB of them in one ZeroMQ message, taken apart by the receiver.
  double one_way(std::uint64_t count);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace processhub::hub_bench
