#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>

#include <zmq.hpp>

#include "tests/unit/transport/zmq_test_support.hpp"
#include "transport/zmq/client_socket.hpp"
#include "transport/zmq/route_table.hpp"
#include "transport/zmq/tcp_address.hpp"
#include "transport/zmq/unique_fd.hpp"

namespace processhub::zmq_test::zmq_bad_input_test {
namespace {

using zmq_detail::UniqueFd;

sockaddr_in socket_address(const std::string& endpoint) {
  const auto address = zmq_detail::parse_bind_address(endpoint);
  REQUIRE(address);
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(address->port);
  result.sin_addr.s_addr = *zmq_detail::numeric_ipv4(address->host);
  return result;
}

UniqueFd tcp_connect(const std::string& endpoint) {
  UniqueFd connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in to = socket_address(endpoint);
  REQUIRE(::connect(connection.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  return connection;
}

/// Leaves the process `spare` descriptors while it lives.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t spare) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    rlimit few = before_;
    few.rlim_cur = limit_that_leaves(spare);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  // What a shell or a CI leaves open leaves holes between the numbers, so the free ones are counted.
  static rlim_t limit_that_leaves(rlim_t spare) {
    rlim_t limit = 0;
    for (rlim_t free = 0; free <= spare; ++limit) {
      if (::fcntl(static_cast<int>(limit), F_GETFD) == -1) ++free;
    }
    return limit - 1;
  }
  rlimit before_{};
};

/// Whatever happened before, a frame still goes through and back.
void check_still_talks(Node& server, Node& client) {
  const auto before = server.route_frames.size();
  REQUIRE(poll_until({&server, &client}, [&] { return client.is_up(1); }));
  REQUIRE(client.transport->send(1, "still there?") == SendStatus::ok);
  REQUIRE(poll_until({&server, &client}, [&] { return server.route_frames.size() == before + 1; }));
  CHECK(server.route_frames.back().second == "still there?");
}

}  // namespace

TEST_CASE("garbage on the ROUTER and PUB ports is counted and disturbs nobody") {
  ConnectedPair pair;
  std::uint64_t expected = 0;
  for (const auto& endpoint : {pair.server.address.router, pair.server.address.publisher}) {
    for (const std::string& garbage :
         {std::string(100'000, 'A'), std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
          // a ZMTP 3.0 greeting, then no ZMTP
          "\xff" + std::string(8, '\0') + "\x7f\3" + std::string(1, '\0') + "NULL" + std::string(48, '\0') +
              "nonsense",
          std::string(200, '\0'), std::string("\1\0", 2)}) {
      const UniqueFd stranger = tcp_connect(endpoint);
      // The node may hang up before it has read everything.
      (void)::send(stranger.get(), garbage.data(), garbage.size(), MSG_NOSIGNAL);
      ::shutdown(stranger.get(), SHUT_RDWR);
      ++expected;
      poll_until(
          {&pair.server}, [] { return false; }, 1ms);
    }
  }
  CHECK(poll_until({&pair.server, &pair.client},
                   [&] { return zmq_counters(*pair.server.transport)->failed_handshakes >= expected / 2; }));
  CHECK(pair.server.route_frames.empty());
  check_still_talks(pair.server, pair.client);
  CHECK(pair.client.changes[1] == std::vector<std::string>{"up"});
}

TEST_CASE("a message of several parts is counted and dropped") {
  ConnectedPair pair;
  zmq::context_t context;
  zmq::socket_t stranger(context, zmq::socket_type::dealer);
  stranger.set(zmq::sockopt::linger, 0);
  stranger.connect(pair.server.address.router);
  for (const char* part : {"a", "b", "c"})
    stranger.send(zmq::buffer(std::string_view(part)), zmq::send_flags::sndmore);
  stranger.send(zmq::buffer(std::string_view("d")), zmq::send_flags::none);
  stranger.send(zmq::buffer(std::string_view("a good one")), zmq::send_flags::none);
  REQUIRE(poll_until({&pair.server}, [&] { return !pair.server.route_frames.empty(); }));
  CHECK(pair.server.route_frames.front().second == "a good one");
  CHECK(zmq_counters(*pair.server.transport)->bad_messages == 1);
  check_still_talks(pair.server, pair.client);
}

TEST_CASE("strangers that fight over one identity do not disturb a peer") {
  ConnectedPair pair;
  zmq::context_t context;
  std::vector<zmq::socket_t> strangers;
  for (int i = 0; i < 2; ++i) {
    auto& socket = strangers.emplace_back(context, zmq::socket_type::dealer);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::routing_id, "same");
    socket.connect(pair.server.address.router);
  }
  // Who holds the identity last is answered; the other one is cut off, connects again and takes it back.
  REQUIRE(poll_until({&pair.server, &pair.client}, [&] {
    for (auto& socket : strangers)
      (void)socket.send(zmq::buffer(std::string_view("mine")), zmq::send_flags::dontwait);
    return pair.server.route_frames.size() >= 20;
  }));
  strangers.clear();
  poll_until(
      {&pair.server, &pair.client}, [] { return false; }, 20ms);
  pair.server.route_frames.clear();
  check_still_talks(pair.server, pair.client);
  CHECK(pair.client.changes[1] == std::vector<std::string>{"up"});
}

TEST_CASE("a frame larger than allowed is not sent, and counted") {
  HubConfig small;
  small.max_message_size = 1'000;
  ConnectedPair pair(small, small);
  CHECK(pair.client.transport->send(1, std::string(200'000, 'x')) == SendStatus::unroutable);
  CHECK(zmq_counters(*pair.client.transport)->oversize_frames == 1);
  check_still_talks(pair.server, pair.client);
}

TEST_CASE("a peer that sends more than allowed is cut off, and may come back") {
  HubConfig small;
  small.max_message_size = 1'000;
  ConnectedPair pair(small, {});
  REQUIRE(pair.client.transport->send(1, std::string(200'000, 'x')) == SendStatus::ok);
  REQUIRE(poll_until({&pair.server, &pair.client}, [&] { return pair.client.changes[1].size() >= 3; }));
  CHECK(pair.client.changes[1] == std::vector<std::string>{"up", "down", "up"});
  CHECK(pair.server.route_frames.empty());
  check_still_talks(pair.server, pair.client);
}

TEST_CASE("a publisher that sends more than a subscriber allows is heard again after that") {
  HubConfig small;
  small.max_message_size = 1'000;
  Node publisher;
  publisher.listen();
  Node subscriber(small);
  subscriber.transport->subscribe(publisher.address.publisher);
  const auto hears = [&] {
    publisher.transport->publish("news");
    return !subscriber.publications.empty();
  };
  REQUIRE(poll_until({&publisher, &subscriber}, hears));
  publisher.transport->publish(std::string(200'000, 'x'));
  REQUIRE(poll_until({&publisher, &subscriber},
                     [&] { return zmq_counters(*subscriber.transport)->connections_lost == 1; }));
  subscriber.publications.clear();
  CHECK(poll_until({&publisher, &subscriber}, hears));
}

TEST_CASE("a stranger on a peer's port is tried again, ever more slowly, until the peer is there") {
  UniqueFd stranger(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  ::setsockopt(stranger.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in own = socket_address("tcp://127.0.0.1:0");
  REQUIRE(::bind(stranger.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
  REQUIRE(::listen(stranger.get(), 16) == 0);
  socklen_t size = sizeof own;
  REQUIRE(::getsockname(stranger.get(), reinterpret_cast<sockaddr*>(&own), &size) == 0);
  const std::string endpoint = "tcp://127.0.0.1:" + std::to_string(ntohs(own.sin_port));

  Node client;
  client.transport->connect(1, endpoint);
  int visits = 0;
  const auto began = std::chrono::steady_clock::now();
  REQUIRE(poll_until({&client}, [&] {
    const UniqueFd visitor(::accept4(stranger.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (visitor) {
      ++visits;
      (void)::send(visitor.get(), "220 smtp ready\r\n", 16, MSG_NOSIGNAL);
    }
    return visits == 6;
  }));
  CHECK(std::chrono::steady_clock::now() - began >= 5ms + 10ms + 20ms + 40ms);
  CHECK(client.changes[1].empty());
  stranger.reset();
  Node peer;
  peer.listen(endpoint);
  CHECK(poll_until({&peer, &client}, [&] { return client.is_up(1); }));
}

TEST_CASE("an address in use is an error that names it, and the transport can bind elsewhere") {
  Node first;
  first.listen();
  Node second;
  const auto bound = second.transport->bind(first.address.router, "");
  REQUIRE_FALSE(bound);
  CHECK(bound.error().code == ErrorCode::system);
  CHECK(bound.error().message == "cannot listen on " + first.address.router + ": Address already in use");
  // The publisher's address taken: the ROUTER's is free again afterwards.
  const auto half = second.transport->bind("tcp://127.0.0.1:0", first.address.publisher);
  REQUIRE_FALSE(half);
  CHECK(half.error().message.find(first.address.publisher) != std::string::npos);
  second.listen();
  second.transport->connect(1, first.address.router);
  CHECK(poll_until({&first, &second}, [&] { return second.is_up(1); }));
  CHECK_FALSE(second.transport->bind("tcp://127.0.0.1:0", ""));
}

TEST_CASE("addresses are checked before anything is opened") {
  using zmq_detail::parse_bind_address;
  using zmq_detail::parse_peer_address;
  for (const char* good :
       {"tcp://127.0.0.1:0", "tcp://*:7001", "tcp://node-1.example.org:65535", "tcp://eth0:1"}) {
    CAPTURE(good);
    CHECK(parse_bind_address(good));
  }
  for (const char* bad : {"", "127.0.0.1:1", "udp://127.0.0.1:1", "tcp://127.0.0.1", "tcp://127.0.0.1:",
                          "tcp://:1", "tcp://127.0.0.1:65536", "tcp://127.0.0.1:-1", "tcp://127.0.0.1:1x",
                          "tcp://a b:1", "tcp://[::1]:1", "tcp://a;b:1", "tcp://127.0.0.1: 1"}) {
    CAPTURE(bad);
    const auto address = parse_bind_address(bad);
    REQUIRE_FALSE(address);
    CHECK(address.error().code == ErrorCode::invalid);
    CHECK(address.error().message.find("'" + std::string(bad) + "'") != std::string::npos);
    CHECK_FALSE(parse_peer_address(bad));
  }
  for (const char* no_peer : {"tcp://127.0.0.1:0", "tcp://*:7001", "tcp://0.0.0.0:7001"})
    CHECK_FALSE(parse_peer_address(no_peer));
  CHECK(parse_peer_address("tcp://localhost:7001")->str() == "tcp://127.0.0.1:7001");
}

TEST_CASE("a client learns quickly that nobody listens, or that it is no hub") {
  BoundAddresses nobody;
  {
    Node node;
    node.listen();
    nobody = node.address;
  }
  const auto refused = ClientSocket::connect(nobody.router, kPatience);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::node_down);
  CHECK(refused.error().message == nobody.router + ": connection refused");
  const auto unknown = ClientSocket::connect("tcp://no-such-host.invalid:7001", kPatience);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message.find("cannot resolve 'no-such-host.invalid'") == 0);
  Node publisher;
  publisher.listen();
  const auto wrong = ClientSocket::connect(publisher.address.publisher, kPatience);
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == ErrorCode::system);
  CHECK(ClientSocket::connect("nonsense", kPatience).error().code == ErrorCode::invalid);
}

TEST_CASE("a client that loses its node says so once everything is read") {
  auto node = std::make_unique<Node>();
  node->listen();
  auto client = ClientSocket::connect(node->address.router, kPatience);
  REQUIRE_MESSAGE(client, client.error().message);
  CHECK_FALSE(client->receive(1ms)->has_value());
  REQUIRE(client->send("hello"));
  REQUIRE(poll_until({node.get()}, [&] { return !node->route_frames.empty(); }));
  for (int i = 0; i < 10; ++i)
    REQUIRE(node->transport->reply(node->route_frames.front().first, "bye") == SendStatus::ok);
  node.reset();
  for (int i = 0; i < 10; ++i) {
    const auto frame = client->receive(kPatience);
    REQUIRE(frame);
    CHECK(*frame == "bye");
  }
  const auto after = client->receive(kPatience);
  REQUIRE_FALSE(after);
  CHECK(after.error().code == ErrorCode::node_down);
  CHECK(client->send("anyone?").error().code == ErrorCode::node_down);
}

TEST_CASE("links that find no free descriptor come up when there are some again") {
  Node server;
  server.listen();
  for (const rlim_t spare : {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 20}) {
    CAPTURE(spare);
    Node client;
    {
      const FewDescriptors few(spare);
      for (LinkId link = 1; link <= 5; ++link) client.transport->connect(link, server.address.router);
      client.transport->subscribe(server.address.publisher);
      poll_until(
          {&server, &client}, [] { return false; }, 5ms);
    }
    CHECK(poll_until({&server, &client}, [&] {
      for (LinkId link = 1; link <= 5; ++link) {
        if (!client.is_up(link)) return false;
      }
      return true;
    }));
  }
}

TEST_CASE("the route table is bounded and forgets the route that was idle longest") {
  zmq_detail::RouteTable routes(3);
  const RouteId a = routes.number_of("a");
  const RouteId b = routes.number_of("b");
  const RouteId c = routes.number_of("c");
  CHECK(routes.number_of("a") == a);
  const RouteId d = routes.number_of("d");  // b was idle longest
  CHECK(routes.size() == 3);
  CHECK(routes.identity_of(b).empty());
  CHECK(routes.identity_of(a) == "a");
  CHECK(routes.identity_of(c) == "c");
  CHECK(routes.identity_of(d) == "d");
  CHECK(routes.number_of("b") > d);  // a number is never used again
  routes.forget(a);
  routes.forget(a);
  CHECK(routes.identity_of(a).empty());
}

}  // namespace processhub::zmq_test::zmq_bad_input_test
