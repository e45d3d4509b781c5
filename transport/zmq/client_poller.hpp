// The connections of a Client: a DEALER to each of several nodes, waited for together. It speaks frames,
// nothing more. One thread, but for wake().
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "processhub/result.hpp"
#include "transport/zmq/client_socket.hpp"

namespace processhub {

class ClientPoller {
 public:
  using LinkId = std::uint64_t;
  enum class What : std::uint8_t {
    up,     ///< connected and, with keys, let in
    down,   ///< refused, not let in, or broken; `text` says why
    frame,  ///< `text` is one
  };
  struct Event {
    LinkId link = 0;
    What what = What::frame;
    std::string text{};
  };

  static Result<std::unique_ptr<ClientPoller>> make(const ClientOptions& options);
  ClientPoller(const ClientPoller&) = delete;
  ClientPoller& operator=(const ClientPoller&) = delete;
  ~ClientPoller();

  Result<void> connect(LinkId link, const std::string& endpoint);
  void disconnect(LinkId link);
  /// False: the node takes no more at present, or the link is unknown.
  bool send(LinkId link, std::string_view frame);
  /// Waits for events, at most so long, and adds them.
  void wait(std::chrono::microseconds timeout, std::vector<Event>& events);
  /// Any thread: ends the wait.
  void wake();

 private:
  class Impl;
  explicit ClientPoller(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace processhub
