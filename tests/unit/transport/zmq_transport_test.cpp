#include "transport/zmq/zmq_transport.hpp"

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "tests/unit/transport/zmq_test_support.hpp"

namespace processhub::zmq_test::zmq_transport_test {
namespace {

std::string port_of(const std::string& endpoint) { return endpoint.substr(endpoint.rfind(':') + 1); }

}  // namespace

TEST_CASE("bind fills in the ports and publishes on the host of the router by default") {
  Node node;
  node.listen("tcp://127.0.0.1:0");
  CHECK(node.address.router.starts_with("tcp://127.0.0.1:"));
  CHECK(node.address.publisher.starts_with("tcp://127.0.0.1:"));
  CHECK(port_of(node.address.router) != "0");
  CHECK(port_of(node.address.publisher) != "0");
  CHECK(node.address.router != node.address.publisher);
}

TEST_CASE("a link comes up and frames go both ways, in order") {
  ConnectedPair pair;
  for (int i = 0; i < 500; ++i) {
    REQUIRE(pair.client.transport->send(1, "to server " + std::to_string(i)) == SendStatus::ok);
  }
  REQUIRE(poll_until({&pair.server, &pair.client}, [&] { return pair.server.route_frames.size() == 500; }));
  const RouteId route = pair.server.route_frames.front().first;
  for (int i = 0; i < 500; ++i) {
    CHECK(pair.server.route_frames[i] == std::pair{route, "to server " + std::to_string(i)});
    REQUIRE(pair.server.transport->reply(route, "to client " + std::to_string(i)) == SendStatus::ok);
  }
  REQUIRE(poll_until({&pair.server, &pair.client}, [&] { return pair.client.link_frames.size() == 500; }));
  for (int i = 0; i < 500; ++i) {
    CHECK(pair.client.link_frames[i] == std::pair{LinkId{1}, "to client " + std::to_string(i)});
  }
}

TEST_CASE("frames keep every byte, also empty ones and large ones") {
  ConnectedPair pair;
  std::string large(1'500'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 7 + i / 251);
  REQUIRE(pair.client.transport->send(1, "") == SendStatus::ok);
  REQUIRE(pair.client.transport->send(1, large) == SendStatus::ok);
  REQUIRE(poll_until({&pair.server, &pair.client}, [&] { return pair.server.route_frames.size() == 2; }));
  CHECK(pair.server.route_frames[0].second.empty());
  CHECK(pair.server.route_frames[1].second == large);
}

TEST_CASE("every connection has a route of its own") {
  Node server;
  server.listen();
  Node client;
  client.transport->connect(1, server.address.router);
  client.transport->connect(2, server.address.router);
  REQUIRE(poll_until({&server, &client}, [&] { return client.is_up(1) && client.is_up(2); }));
  REQUIRE(client.transport->send(1, "one") == SendStatus::ok);
  REQUIRE(client.transport->send(2, "two") == SendStatus::ok);
  REQUIRE(poll_until({&server, &client}, [&] { return server.route_frames.size() == 2; }));
  CHECK(server.route_frames[0].first != server.route_frames[1].first);
  for (const auto& [route, frame] : server.route_frames) server.transport->reply(route, "answer to " + frame);
  REQUIRE(poll_until({&server, &client}, [&] { return client.link_frames.size() == 2; }));
  for (const auto& [link, frame] : client.link_frames) {
    CHECK(frame == (link == 1 ? "answer to one" : "answer to two"));
  }
}

TEST_CASE("publications reach every subscriber until it unsubscribes") {
  Node publisher;
  publisher.listen();
  Node first;
  Node second;
  for (Node* node : {&first, &second}) node->transport->subscribe(publisher.address.publisher);
  // A publication before the subscription arrived is lost: repeat until both are there.
  REQUIRE(poll_until({&publisher, &first, &second}, [&] {
    CHECK(publisher.transport->publish("hello") == SendStatus::ok);
    return !first.publications.empty() && !second.publications.empty();
  }));
  second.transport->unsubscribe(publisher.address.publisher);
  second.publications.clear();
  publisher.transport->publish("last");
  REQUIRE(poll_until({&publisher, &first, &second}, [&] { return first.publications.back() == "last"; }));
  CHECK(second.publications.empty());
}

TEST_CASE("one node hears several publishers, and a lost one again when it is back") {
  Node a;
  a.listen();
  auto b = std::make_unique<Node>();
  b->listen();
  const BoundAddresses address_of_b = b->address;
  Node listener;
  listener.transport->subscribe(a.address.publisher);
  listener.transport->subscribe(address_of_b.publisher);
  const auto heard = [&](const std::string& text) {
    return std::find(listener.publications.begin(), listener.publications.end(), text) !=
           listener.publications.end();
  };
  REQUIRE(poll_until({&a, b.get(), &listener}, [&] {
    a.transport->publish("from a");
    b->transport->publish("from b");
    return heard("from a") && heard("from b");
  }));
  b.reset();
  listener.publications.clear();
  REQUIRE(poll_until({&a, &listener}, [&] {
    a.transport->publish("a again");
    return heard("a again");
  }));
  Node reborn;
  reborn.listen(address_of_b.router, address_of_b.publisher);
  REQUIRE(poll_until({&a, &reborn, &listener}, [&] {
    reborn.transport->publish("b again");
    return heard("b again");
  }));
}

TEST_CASE("a peer that closes is reported down and refused, once, and up again when it is back") {
  Node client;
  auto server = std::make_unique<Node>();
  server->listen();
  const BoundAddresses address = server->address;
  client.transport->connect(1, address.router);
  REQUIRE(poll_until({server.get(), &client}, [&] { return client.is_up(1); }));
  server.reset();
  REQUIRE(poll_until({&client}, [&] { return client.was_refused(1); }));
  CHECK(client.transport->send(1, "nobody there") == SendStatus::unroutable);
  // Long enough for several retries.
  poll_until(
      {&client}, [] { return false; }, 600ms);
  const auto& changes = client.changes[1];
  CHECK(std::count(changes.begin(), changes.end(), "up") == 1);
  CHECK(std::count(changes.begin(), changes.end(), "refused") == 1);
  // "down" first only if the port was still open when the connection broke.
  CHECK(std::count(changes.begin(), changes.end(), "down") <= 1);
  Node reborn;
  reborn.listen(address.router, address.publisher);
  REQUIRE(poll_until({&reborn, &client}, [&] { return client.is_up(1); }));
  REQUIRE(client.transport->send(1, "welcome back") == SendStatus::ok);
  REQUIRE(poll_until({&reborn, &client}, [&] { return !reborn.route_frames.empty(); }));
  CHECK(reborn.route_frames.front().second == "welcome back");
}

TEST_CASE("an address where nobody listens is reported refused again and again, but not often") {
  BoundAddresses nobody;
  {
    Node node;
    node.listen();
    nobody = node.address;
  }
  Node client;
  client.transport->connect(7, nobody.router);
  const auto began = std::chrono::steady_clock::now();
  REQUIRE(poll_until({&client}, [&] { return client.changes[7].size() == 3; }));
  CHECK(std::chrono::steady_clock::now() - began >= 400ms);
  CHECK(client.changes[7] == std::vector<std::string>{"refused", "refused", "refused"});
}

TEST_CASE("a link to an address that makes no sense is reported down once") {
  Node client;
  for (const char* address : {"", "tcp://127.0.0.1:0", "ipc:///tmp/x", "tcp://:7001", "tcp://127.0.0.1:99999",
                              "tcp://[::1]:7001"}) {
    CAPTURE(address);
    client.changes.clear();
    client.transport->connect(3, address);
    CHECK(client.transport->send(3, "x") == SendStatus::unroutable);
    CHECK(poll_until({&client}, [&] { return !client.changes[3].empty(); }));
    client.transport->poll(1ms, client, 10);
    CHECK(client.changes[3] == std::vector<std::string>{"down"});
  }
  client.transport->subscribe("nonsense");
  CHECK(zmq_counters(*client.transport)->last_problem.find("nonsense") != std::string::npos);
}

TEST_CASE("a link that was disconnected is silent, and its number can be used again") {
  ConnectedPair pair;
  Node other;
  other.listen();
  pair.client.changes.clear();
  pair.client.transport->disconnect(1);
  CHECK(pair.client.transport->send(1, "x") == SendStatus::unroutable);
  pair.client.transport->connect(1, other.address.router);
  REQUIRE(poll_until({&pair.server, &pair.client, &other}, [&] { return pair.client.is_up(1); }));
  CHECK(pair.client.changes[1] == std::vector<std::string>{"up"});
  REQUIRE(pair.client.transport->send(1, "hello") == SendStatus::ok);
  REQUIRE(poll_until({&pair.server, &pair.client, &other}, [&] { return !other.route_frames.empty(); }));
  CHECK(pair.server.route_frames.empty());
}

TEST_CASE("a frame sent right before disconnect still arrives") {
  ConnectedPair pair;
  REQUIRE(pair.client.transport->send(1, "farewell") == SendStatus::ok);
  pair.client.transport->disconnect(1);
  REQUIRE(poll_until({&pair.server, &pair.client}, [&] { return !pair.server.route_frames.empty(); }));
  CHECK(pair.server.route_frames.front().second == "farewell");
}

TEST_CASE("what a peer sent before it closed is delivered before the link is reported down") {
  struct Order : Node {
    void on_link_frame(LinkId link, std::string_view frame) override {
      Node::on_link_frame(link, frame);
      changes[link].emplace_back("frame");
    }
  };
  Order client;
  auto server = std::make_unique<Node>();
  server->listen();
  client.transport->connect(1, server->address.router);
  REQUIRE(poll_until({server.get(), &client}, [&] { return client.is_up(1); }));
  REQUIRE(client.transport->send(1, "hello") == SendStatus::ok);
  REQUIRE(poll_until({server.get(), &client}, [&] { return !server->route_frames.empty(); }));
  for (int i = 0; i < 300; ++i) server->transport->reply(server->route_frames.front().first, "last words");
  server.reset();  // everything is on its way when this returns
  REQUIRE(poll_until({&client}, [&] { return client.was_refused(1); }));
  CHECK(client.link_frames.size() == 300);
  const auto& order = client.changes[1];
  CHECK(std::find(order.begin() + 1, order.end(), "frame") == order.begin() + 1);
  CHECK(std::find_if(order.begin(), order.end(), [](const auto& what) {
          return what == "down" || what == "refused";
        }) == order.begin() + 301);
}

TEST_CASE("a peer that does not read makes send return full, and nothing accepted is lost") {
  ConnectedPair pair;
  const std::string frame(2'000, 'x');
  std::size_t accepted = 0;
  SendStatus status = SendStatus::ok;
  while (accepted < 1'000'000 && (status = pair.client.transport->send(1, frame)) == SendStatus::ok)
    ++accepted;
  CHECK(status == SendStatus::full);
  REQUIRE(poll_until(
      {&pair.server, &pair.client}, [&] { return pair.server.route_frames.size() == accepted; }, 20s));
  CHECK(pair.client.transport->send(1, "again") == SendStatus::ok);
}

TEST_CASE("a reply to a route that is gone or never was is unroutable") {
  ConnectedPair pair;
  CHECK(pair.server.transport->reply(424'242, "x") == SendStatus::unroutable);
  REQUIRE(pair.client.transport->send(1, "hello") == SendStatus::ok);
  REQUIRE(poll_until({&pair.server, &pair.client}, [&] { return !pair.server.route_frames.empty(); }));
  const RouteId route = pair.server.route_frames.front().first;
  REQUIRE(pair.server.transport->reply(route, "hello yourself") == SendStatus::ok);
  pair.client.transport->disconnect(1);
  CHECK(poll_until({&pair.server, &pair.client},
                   [&] { return pair.server.transport->reply(route, "?") == SendStatus::unroutable; }));
}

TEST_CASE("sending without links or a bound socket is unroutable") {
  Node node;
  CHECK(node.transport->send(1, "x") == SendStatus::unroutable);
  CHECK(node.transport->reply(1, "x") == SendStatus::unroutable);
  CHECK(node.transport->publish("x") == SendStatus::unroutable);
}

TEST_CASE("another thread wakes a poll that would sleep for long") {
  Node node;
  node.listen();
  for (int round = 0; round < 200; ++round) {
    std::atomic<bool> polling{false};
    std::thread waker([&] {
      while (!polling) std::this_thread::yield();
      node.transport->wake();
    });
    const auto began = std::chrono::steady_clock::now();
    polling = true;
    node.transport->poll(60s, node, 10);
    waker.join();
    REQUIRE(std::chrono::steady_clock::now() - began < 30s);
    // The wake-up may have come before the poll and its descriptor be ready still: one poll at most returns
    // early for it.
    node.transport->poll(0us, node, 10);
  }
}

TEST_CASE("a wake-up given between two polls ends the next one") {
  Node node;
  for (int round = 0; round < 100; ++round) {
    node.transport->wake();
    node.transport->wake();
    const auto began = std::chrono::steady_clock::now();
    node.transport->poll(60s, node, 10);
    REQUIRE(std::chrono::steady_clock::now() - began < 30s);
  }
}

TEST_CASE("many threads that post and wake are all seen") {
  Node node;
  constexpr int kThreads = 4;
  constexpr int kPosts = 5'000;
  std::atomic<int> posted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kPosts; ++i) {
        posted.fetch_add(1);
        node.transport->wake();
      }
    });
  }
  const auto began = std::chrono::steady_clock::now();
  while (posted.load() < kThreads * kPosts) node.transport->poll(60s, node, 10);
  CHECK(std::chrono::steady_clock::now() - began < 30s);
  for (auto& thread : threads) thread.join();
}

TEST_CASE("a poll delivers no more than its budget, says that more waits, and starves nobody") {
  Node server;
  server.listen();
  Node client;
  constexpr int kLinks = 4;
  for (LinkId link = 1; link <= kLinks; ++link) client.transport->connect(link, server.address.router);
  REQUIRE(poll_until({&server, &client}, [&] {
    for (LinkId link = 1; link <= kLinks; ++link) {
      if (!client.is_up(link)) return false;
    }
    return true;
  }));
  for (LinkId link = 1; link <= kLinks; ++link) client.transport->send(link, "hello");
  REQUIRE(poll_until({&server, &client}, [&] { return server.route_frames.size() == kLinks; }));
  for (const auto& [route, frame] : server.route_frames) {
    for (int i = 0; i < 100; ++i) REQUIRE(server.transport->reply(route, "data") == SendStatus::ok);
  }
  REQUIRE(poll_until({&client}, [&] {
    const auto before = client.link_frames.size();
    const bool more = client.transport->poll(1ms, client, 8);
    CHECK(client.link_frames.size() - before <= 8);
    if (client.link_frames.size() == 100 * kLinks) return true;
    if (!more && client.link_frames.size() - before == 8) CHECK_FALSE(before == 0);
    return false;
  }));
  // With everything in the sockets already, a small budget reaches every link.
  for (const auto& [route, frame] : server.route_frames) {
    for (int i = 0; i < 100; ++i) REQUIRE(server.transport->reply(route, "more data") == SendStatus::ok);
  }
  std::set<LinkId> seen;
  REQUIRE(poll_until({}, [&] {
    client.link_frames.clear();
    client.transport->poll(1ms, client, kLinks * 2);
    for (const auto& [link, frame] : client.link_frames) seen.insert(link);
    return seen.size() == kLinks;
  }));
}

TEST_CASE("callbacks may connect, disconnect, send and reply") {
  struct Impatient : Node {
    void on_link_up(LinkId link) override {
      Node::on_link_up(link);
      transport->send(link, "I am up");
    }
    void on_link_frame(LinkId link, std::string_view frame) override {
      Node::on_link_frame(link, frame);
      transport->disconnect(link);
      if (link < 20) transport->connect(link + 1, target);
    }
    std::string target{};
  };
  struct Echo : Node {
    void on_route_frame(RouteId route, std::string_view frame) override {
      Node::on_route_frame(route, frame);
      transport->reply(route, frame);
      transport->reply(route, frame);
    }
  };
  Echo server;
  server.listen();
  Impatient client;
  client.target = server.address.router;
  client.transport->connect(1, client.target);
  REQUIRE(poll_until({&server, &client}, [&] { return client.link_frames.size() == 20; }));
  for (LinkId link = 1; link <= 20; ++link) CHECK(client.changes[link] == std::vector<std::string>{"up"});
}

TEST_CASE("a closed transport says so and does nothing") {
  ConnectedPair pair;
  pair.client.transport->close();
  pair.client.transport->close();
  CHECK(pair.client.transport->send(1, "x") == SendStatus::unroutable);
  CHECK(pair.client.transport->publish("x") == SendStatus::unroutable);
  CHECK_FALSE(pair.client.transport->poll(60s, pair.client, 10));
  pair.client.transport->connect(2, pair.server.address.router);
  pair.client.transport->wake();
  CHECK_FALSE(pair.client.transport->bind("tcp://127.0.0.1:0", ""));
}

TEST_CASE("the note on capacity names peers and open files") {
  CHECK(capacity_note().find("peers") != std::string::npos);
  CHECK(capacity_note().find("open files") != std::string::npos);
}

}  // namespace processhub::zmq_test::zmq_transport_test
