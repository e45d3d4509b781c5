#include "tools/hub-bench/raw_zmq.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <zmq.hpp>

#include "tools/hub-bench/board.hpp"

namespace processhub::hub_bench {
namespace {

constexpr std::size_t kMessageSize = 64;
constexpr std::size_t kBatchBytes = 64 << 10;
constexpr char kEcho = 'e';   // first byte of a frame: send it back
constexpr char kCount = 'c';  // take it apart, say nothing
constexpr char kTotal = 't';  // answer when all before it is handled
constexpr char kEnd = 'q';

/// A frame of `count` messages, each with its length before it; the first byte says what to do.
std::string make_frame(char kind, std::uint64_t count) {
  const std::uint32_t size = kMessageSize;
  std::string frame(1, kind);
  for (std::uint64_t i = 0; i < count; ++i) {
    frame.append(reinterpret_cast<const char*>(&size), sizeof size);
    frame.append(kMessageSize, 'm');
  }
  return frame;
}

/// Copies every message out, as a receiver that hands them to somebody must.
std::uint64_t take_apart(std::string_view frame) {
  std::array<char, kMessageSize> message{};
  std::uint64_t count = 0;
  for (std::size_t at = 1; at + sizeof(std::uint32_t) <= frame.size(); ++count) {
    std::uint32_t size = 0;
    std::memcpy(&size, frame.data() + at, sizeof size);
    at += sizeof size;
    if (size > message.size() || at + size > frame.size()) throw std::runtime_error("a broken frame");
    std::memcpy(message.data(), frame.data() + at, size);
    at += size;
  }
  return count;
}

void serve(zmq::socket_t& router) {
  zmq::message_t from;
  zmq::message_t frame;
  while (router.recv(from) && router.recv(frame)) {
    const char kind = frame.to_string_view().front();
    if (kind == kEnd) return;
    if (kind == kCount && take_apart(frame.to_string_view()) == 0) throw std::runtime_error("an empty frame");
    if (kind == kCount) continue;
    router.send(from, zmq::send_flags::sndmore);
    router.send(frame, zmq::send_flags::none);
  }
}

}  // namespace

struct RawServer::Impl {
  zmq::context_t context{1};
  zmq::socket_t router{context, zmq::socket_type::router};
  std::string endpoint{};
  std::thread thread{};
};

RawServer::RawServer() : impl_(std::make_unique<Impl>()) {
  impl_->router.set(zmq::sockopt::sndhwm, 0);
  impl_->router.set(zmq::sockopt::rcvhwm, 0);
  impl_->router.set(zmq::sockopt::linger, 0);
  impl_->router.bind("tcp://127.0.0.1:*");
  impl_->endpoint = impl_->router.get(zmq::sockopt::last_endpoint);
  impl_->thread = std::thread([this] { serve(impl_->router); });
}

RawServer::~RawServer() {
  zmq::socket_t dealer(impl_->context, zmq::socket_type::dealer);
  dealer.connect(impl_->endpoint);
  dealer.send(zmq::buffer(std::string(1, kEnd)), zmq::send_flags::none);
  impl_->thread.join();
}

std::string RawServer::endpoint() const { return impl_->endpoint; }

struct RawClient::Impl {
  zmq::context_t context{1};
  zmq::socket_t dealer{context, zmq::socket_type::dealer};
  zmq::message_t answer{};

  void send(const std::string& frame) { dealer.send(zmq::buffer(frame), zmq::send_flags::none); }
  void receive() {
    if (!dealer.recv(answer)) throw std::runtime_error("no answer within ten seconds");
  }
};

RawClient::RawClient(const std::string& endpoint) : impl_(std::make_unique<Impl>()) {
  impl_->dealer.set(zmq::sockopt::sndhwm, 0);
  impl_->dealer.set(zmq::sockopt::rcvhwm, 0);
  impl_->dealer.set(zmq::sockopt::linger, 0);
  impl_->dealer.set(zmq::sockopt::rcvtimeo, 10'000);
  impl_->dealer.connect(endpoint);
}

RawClient::~RawClient() = default;

std::vector<double> RawClient::round_trips(std::uint64_t count) {
  const std::string frame = make_frame(kEcho, 1).substr(0, kMessageSize);
  std::vector<double> times(count);
  for (auto& time : times) {
    const auto start = now_ns();
    impl_->send(frame);
    impl_->receive();
    time = static_cast<double>(now_ns() - start);
  }
  return times;
}

double RawClient::pipelined(std::uint64_t count, std::uint64_t in_flight, std::uint64_t batch) {
  const auto frame = make_frame(kEcho, batch);
  const auto frames = count / batch;
  const auto ahead = std::min(frames, std::max<std::uint64_t>(1, in_flight / batch));
  const auto start = now_ns();
  for (std::uint64_t i = 0; i < ahead; ++i) impl_->send(frame);
  for (std::uint64_t i = 0; i < frames; ++i) {
    impl_->receive();
    if (i + ahead < frames) impl_->send(frame);
  }
  return static_cast<double>(frames * batch) * 1e9 / static_cast<double>(now_ns() - start);
}

double RawClient::one_way(std::uint64_t count) {
  const std::uint64_t per_frame = kBatchBytes / (kMessageSize + sizeof(std::uint32_t));
  const auto frames = count / per_frame;
  const auto start = now_ns();
  for (std::uint64_t i = 0; i < frames; ++i)
    impl_->send(make_frame(kCount, per_frame));  // made anew: senders copy
  impl_->send(std::string(1, kTotal));
  impl_->receive();
  return static_cast<double>(frames * per_frame) * 1e9 / static_cast<double>(now_ns() - start);
}

}  // namespace processhub::hub_bench
