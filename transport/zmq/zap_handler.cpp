#include "transport/zmq/zap_handler.hpp"

#include <zmq.h>

#include <array>
#include <csignal>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace processhub::zmq_detail {
namespace {

using Parts = std::vector<zmq::message_t>;

// The frames of a request, by position.
constexpr std::size_t kVersion = 0;
constexpr std::size_t kRequestId = 1;
constexpr std::size_t kAddress = 3;
constexpr std::size_t kMechanism = 5;
constexpr std::size_t kCredentials = 6;
constexpr std::size_t kCurveKeySize = 32;

bool receive_all(zmq::socket_t& socket, Parts& parts) {
  parts.clear();
  do {
    parts.emplace_back();
    while (zmq_msg_recv(parts.back().handle(), socket.handle(), 0) < 0) {
      if (zmq_errno() != EINTR) return false;
    }
  } while (parts.back().more());
  return true;
}

std::string_view text_of(const zmq::message_t& part) {
  return {static_cast<const char*>(part.data()), part.size()};
}

/// The client's key in Z85, empty if the request is none we know.
std::string public_key_of(const Parts& request) {
  if (request.size() <= kCredentials || text_of(request[kVersion]) != "1.0") return {};
  if (text_of(request[kMechanism]) != "CURVE" || request[kCredentials].size() != kCurveKeySize) return {};
  std::array<char, 41> key{};
  const auto* binary = static_cast<const std::uint8_t*>(request[kCredentials].data());
  return zmq_z85_encode(key.data(), binary, kCurveKeySize) == nullptr ? std::string()
                                                                      : std::string(key.data());
}

void answer(zmq::socket_t& socket, const Parts& request, bool allowed) {
  const std::string_view id = request.size() > kRequestId ? text_of(request[kRequestId]) : std::string_view();
  const std::array<std::string_view, 6> parts{
      "1.0", id, allowed ? "200" : "400", allowed ? "OK" : "not allowed", "", ""};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const int more = i + 1 < parts.size() ? ZMQ_SNDMORE : 0;
    while (zmq_send(socket.handle(), parts[i].data(), parts[i].size(), more) < 0) {
      if (zmq_errno() != EINTR) return;
    }
  }
}

/// New threads inherit the mask; signals are for the program's own threads.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

ZapHandler::ZapHandler(zmq::context_t& context, AllowList allowed)
    : socket_(context, zmq::socket_type::rep), allowed_(std::move(allowed)) {
  socket_.set(zmq::sockopt::linger, 0);
  socket_.bind("inproc://zeromq.zap.01");
  const AllSignalsBlocked blocked;
  thread_ = std::thread([this] { run(); });
}

ZapHandler::~ZapHandler() { thread_.join(); }

std::string ZapHandler::last_denied() const {
  std::lock_guard lock(mutex_);
  return last_denied_;
}

void ZapHandler::run() {
  Parts request;
  while (receive_all(socket_, request)) {
    const std::string key = public_key_of(request);
    const bool allowed = !key.empty() && allowed_.allows(key);
    if (!allowed) {
      denied_.fetch_add(1, std::memory_order_relaxed);
      std::lock_guard lock(mutex_);
      last_denied_ = "key " + (key.empty() ? "unknown" : key) + " from " +
                     (request.size() > kAddress ? std::string(text_of(request[kAddress])) : "nowhere");
    }
    answer(socket_, request, allowed);
  }
  socket_.close();
}

}  // namespace processhub::zmq_detail
