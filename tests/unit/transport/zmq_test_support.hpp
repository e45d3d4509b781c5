// Two or more transports in one thread, and what they reported.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "processhub/config.hpp"
#include "processhub/transport.hpp"
#include "transport/zmq/zmq_transport.hpp"

namespace processhub::zmq_test {

using namespace std::chrono_literals;

inline constexpr auto kPatience = 10s;  // a deadline for what takes milliseconds on an idle machine

/// A transport with everything it reported, in order.
class Node : public TransportEvents {
 public:
  explicit Node(const HubConfig& config = {}) {
    auto made = make_zmq_transport(config);
    REQUIRE_MESSAGE(made, made.error().message);
    transport = std::move(*made);
  }

  void listen(const std::string& router = "tcp://127.0.0.1:0", const std::string& publisher = "") {
    auto bound = transport->bind(router, publisher);
    REQUIRE_MESSAGE(bound, bound.error().message);
    address = *bound;
  }

  void on_link_frame(LinkId link, std::string_view frame) override { link_frames.emplace_back(link, frame); }
  void on_route_frame(RouteId route, std::string_view frame) override {
    route_frames.emplace_back(route, frame);
  }
  void on_publication(std::string_view frame) override { publications.emplace_back(frame); }
  void on_link_up(LinkId link) override { changes[link].emplace_back("up"); }
  void on_link_down(LinkId link, bool refused) override {
    changes[link].emplace_back(refused ? "refused" : "down");
  }

  bool is_up(LinkId link) { return !changes[link].empty() && changes[link].back() == "up"; }
  bool was_refused(LinkId link) { return !changes[link].empty() && changes[link].back() == "refused"; }

  std::unique_ptr<Transport> transport{};
  BoundAddresses address{};
  std::vector<std::pair<LinkId, std::string>> link_frames{};
  std::vector<std::pair<RouteId, std::string>> route_frames{};
  std::vector<std::string> publications{};
  std::map<LinkId, std::vector<std::string>> changes{};
};

/// Polls all nodes in turn until the condition holds. False after the deadline.
inline bool poll_until(std::initializer_list<Node*> nodes, const std::function<bool()>& condition,
                       std::chrono::milliseconds patience = kPatience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    for (Node* node : nodes) node->transport->poll(500us, *node, 1'000);
  }
  return true;
}

/// A node that listens and one with link 1 to it, up.
struct ConnectedPair {
  explicit ConnectedPair(const HubConfig& server_config = {}, const HubConfig& client_config = {})
      : server(server_config), client(client_config) {
    server.listen();
    client.transport->connect(1, server.address.router);
    REQUIRE(poll_until({&server, &client}, [this] { return client.is_up(1); }));
  }
  Node server;
  Node client;
};

/// A directory that goes away with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "ph-zmq-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string str() const { return path_.string(); }

 private:
  std::filesystem::path path_{};
};

}  // namespace processhub::zmq_test
