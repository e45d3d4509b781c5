#include "tests/support/http_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>

namespace http_client {

namespace {

bool has_host(const std::vector<std::string>& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const auto& h) { return h.rfind("Host", 0) == 0; });
}

}  // namespace

Exchange::Exchange(std::uint16_t port, const std::string& request_line, std::vector<std::string> headers,
                   const std::string& body)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("nobody listens at port " + std::to_string(port));
  if (!has_host(headers)) headers.emplace_back("Host: 127.0.0.1");
  if (!body.empty()) headers.push_back("Content-Length: " + std::to_string(body.size()));
  auto text = request_line + " HTTP/1.1\r\n";
  for (const auto& header : headers) text += header + "\r\n";
  text += "\r\n" + body;
  if (::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
    throw std::runtime_error("a request was not taken");
}

Exchange::~Exchange() { ::close(socket_); }

bool Exchange::read_more(std::chrono::steady_clock::time_point deadline) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  pollfd look{socket_, POLLIN, 0};
  if (ended_ || left.count() <= 0 || ::poll(&look, 1, static_cast<int>(left.count())) != 1) return false;
  std::array<char, 65'536> part{};
  const auto got = ::recv(socket_, part.data(), part.size(), 0);
  if (got <= 0) {
    ended_ = true;
    return false;
  }
  buffer_.append(part.data(), static_cast<std::size_t>(got));
  return true;
}

std::string Exchange::all(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (read_more(deadline)) continue;
  return buffer_;
}

std::optional<std::string> Exchange::next(const std::string& kind, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  const auto begin = "event: " + kind + "\ndata: ";
  while (true) {
    const auto at = buffer_.find(begin);
    const auto end = at == std::string::npos ? at : buffer_.find("\n\n", at);
    if (end != std::string::npos) {
      auto data = buffer_.substr(at + begin.size(), end - at - begin.size());
      buffer_.erase(0, end + 2);
      return data;
    }
    if (!read_more(deadline)) return std::nullopt;
  }
}

int status_of(const std::string& answer) {
  return answer.rfind("HTTP/1.1 ", 0) == 0 ? std::atoi(answer.c_str() + 9) : 0;
}

std::string get(std::uint16_t port, const std::string& path, std::vector<std::string> headers) {
  return Exchange(port, "GET " + path, std::move(headers)).all();
}

std::string body_of(const std::string& answer) {
  const auto at = answer.find("\r\n\r\n");
  return at == std::string::npos ? std::string() : answer.substr(at + 4);
}

}  // namespace http_client
