// WebServer: the page over HTTP. It serves one page, the stream that fills it, and two questions; nothing
// changes the cluster. cpp-httplib stands behind it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/zmq-monitor/web_feed.hpp"
#include "tools/zmq-monitor/web_guard.hpp"

namespace processhub::monitor {

struct WebOptions {
  ListenAddress listen{};
  std::string token{};               ///< empty: anybody who reaches the address may read
  std::vector<std::string> names{};  ///< by which the page may be called, besides addresses and localhost
};

constexpr std::size_t kWebStreams = 16;        ///< open pages at once
constexpr std::size_t kSmallestWebToken = 16;  ///< characters

class WebServer {
 public:
  using Query = std::map<std::string, std::string>;
  /// Answers /api/WHAT?QUERY; on threads of the server, a few at once.
  using Answer = std::function<Result<nlohmann::json>(const std::string& what, const Query& query)>;

  /// `feed` outlives the server. Errors: an address that others reach and no token, or it is taken.
  static Result<std::unique_ptr<WebServer>> start(const WebOptions& options, WebFeed& feed, Answer answer);
  ~WebServer();  ///< ends all streams
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  std::uint16_t port() const;

 private:
  class Impl;
  explicit WebServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The page, made of the files in web/ when the program was built. "{{nonce}}" stands for a number that is
/// new for each answer.
std::string_view web_page();

}  // namespace processhub::monitor
