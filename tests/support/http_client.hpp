// Just enough HTTP to see what a server says, byte by byte, on 127.0.0.1. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace http_client {

/// A connection with one request; what comes back is read until the server closes, or as a stream.
class Exchange {
 public:
  /// `headers`: lines without line ends; "Host: 127.0.0.1" is added unless there is one.
  Exchange(std::uint16_t port, const std::string& request_line, std::vector<std::string> headers = {},
           const std::string& body = {});
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange();

  /// Everything up to the end; what came so far if that takes longer than `limit`.
  std::string all(std::chrono::milliseconds limit = std::chrono::seconds(20));
  /// The next server-sent event of this kind, its data; nothing at the end or after `limit`.
  std::optional<std::string> next(const std::string& kind,
                                  std::chrono::milliseconds limit = std::chrono::seconds(20));
  bool ended() const { return ended_; }

 private:
  bool read_more(std::chrono::steady_clock::time_point deadline);

  int socket_ = -1;
  bool ended_ = false;
  std::string buffer_{};
};

/// The number in the first line of an answer; 0 if it is none.
int status_of(const std::string& answer);
/// GET of a path; the whole answer.
std::string get(std::uint16_t port, const std::string& path, std::vector<std::string> headers = {});
/// What is behind the headers.
std::string body_of(const std::string& answer);

}  // namespace http_client
