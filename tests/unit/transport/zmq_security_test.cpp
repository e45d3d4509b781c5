#include "tests/unit/transport/zmq_test_support.hpp"
#include "transport/zmq/client_socket.hpp"
#include "transport/zmq/curve_keys.hpp"

namespace processhub::zmq_test::zmq_security_test {
namespace {

/// Key files: `cluster` shared by all nodes, `node` and `user` of single ones, `stranger` allowed nowhere.
class Keys {
 public:
  Keys() {
    for (const char* name : {"cluster", "node-a", "node-b", "user", "stranger"}) {
      auto keys = generate_key_pair();
      REQUIRE(keys);
      REQUIRE(write_key_pair(files / name, *keys));
    }
    std::filesystem::create_directory(files / "allowed");
    std::filesystem::create_directory(files / "nobody");
  }
  void allow(const std::string& name) const {
    std::filesystem::copy_file(files / (name + ".pub"), files / ("allowed/" + name + ".pub"));
  }
  std::string key(const std::string& name) const { return files / (name + ".key"); }

  /// One pair for all nodes.
  HubConfig shared(const std::string& name = "cluster") const {
    HubConfig config;
    config.security.secret_key_file = key(name);
    config.security.allow_dir = files / "allowed";
    return config;
  }
  /// A pair of the node's own beside the shared one that it presents.
  HubConfig own(const std::string& name) const {
    HubConfig config = shared(name);
    config.security.server_key_file = key("cluster");
    return config;
  }

  TemporaryDirectory files{};
};

/// Frames both ways and a publication.
void check_talks(Node& server, Node& client) {
  client.transport->connect(1, server.address.router);
  client.transport->subscribe(server.address.publisher);
  REQUIRE(poll_until({&server, &client}, [&] { return client.is_up(1); }));
  REQUIRE(client.transport->send(1, "secret") == SendStatus::ok);
  REQUIRE(poll_until({&server, &client}, [&] { return !server.route_frames.empty(); }));
  CHECK(server.route_frames.front().second == "secret");
  REQUIRE(server.transport->reply(server.route_frames.front().first, "answer") == SendStatus::ok);
  CHECK(poll_until({&server, &client}, [&] {
    server.transport->publish("news");
    return !client.publications.empty() && !client.link_frames.empty();
  }));
}

/// A listener that is let in proves that the publisher was heard all the time `outsider` got nothing.
void check_is_kept_out(Node& server, Node& outsider, Node& member) {
  outsider.transport->connect(1, server.address.router);
  outsider.transport->subscribe(server.address.publisher);
  member.transport->subscribe(server.address.publisher);
  CHECK(poll_until({&server, &outsider, &member}, [&] {
    server.transport->publish("for members");
    const auto counters = zmq_counters(*outsider.transport);
    return counters->failed_handshakes >= 4 && member.publications.size() >= 5;
  }));
  CHECK_FALSE(outsider.is_up(1));
  CHECK(outsider.publications.empty());
  CHECK(server.route_frames.empty());
}

}  // namespace

TEST_CASE("nodes that share one key pair talk, publications included") {
  Keys keys;
  Node server(keys.shared());
  server.listen();
  Node client(keys.shared());
  check_talks(server, client);
}

TEST_CASE("nodes with key pairs of their own talk when they are on the allow-list") {
  Keys keys;
  keys.allow("node-b");
  Node server(keys.own("node-a"));
  server.listen();
  Node client(keys.own("node-b"));
  check_talks(server, client);
}

TEST_CASE("a key that is not on the allow-list gets in nowhere, neither ROUTER nor PUB") {
  Keys keys;
  keys.allow("node-b");
  Node server(keys.own("node-a"));
  server.listen();
  Node outsider(keys.own("stranger"));
  Node member(keys.own("node-b"));
  check_is_kept_out(server, outsider, member);
  CHECK(zmq_counters(*server.transport)->denied_keys >= 2);
}

TEST_CASE("a node without keys gets in nowhere") {
  Keys keys;
  Node server(keys.shared());
  server.listen();
  Node outsider;
  Node member(keys.shared());
  check_is_kept_out(server, outsider, member);
  CHECK(zmq_counters(*server.transport)->failed_handshakes >= 1);
}

TEST_CASE("a node with keys does not talk to one without") {
  Keys keys;
  Node server;
  server.listen();
  Node outsider(keys.shared());
  Node member;
  check_is_kept_out(server, outsider, member);
}

TEST_CASE("a node that presents another key than the cluster's is not trusted") {
  Keys keys;
  keys.allow("cluster");
  Node impostor(keys.shared("stranger"));
  impostor.listen();
  Node client(keys.shared());
  Node member(keys.shared("stranger"));
  check_is_kept_out(impostor, client, member);
}

TEST_CASE("a key that is put on the allow-list later gets in without a restart") {
  Keys keys;
  Node server(keys.own("node-a"));
  server.listen();
  Node client(keys.own("node-b"));
  client.transport->connect(1, server.address.router);
  REQUIRE(poll_until({&server, &client}, [&] { return zmq_counters(*server.transport)->denied_keys > 0; }));
  CHECK_FALSE(client.is_up(1));
  keys.allow("node-b");
  CHECK(poll_until({&server, &client}, [&] { return client.is_up(1); }));
}

TEST_CASE("security that is configured by halves is an error, never open") {
  Keys keys;
  const auto error_of = [](const HubConfig& config) {
    const auto made = make_zmq_transport(config);
    return made ? std::string() : made.error().message;
  };
  HubConfig config;
  config.security.allow_dir = keys.files / "allowed";
  CHECK(error_of(config).find("secret_key_file") != std::string::npos);
  config = keys.own("node-a");
  config.security.allow_dir.clear();
  CHECK(error_of(config).find("allow_dir") != std::string::npos);
  config = keys.own("node-a");
  config.security.server_key_file = keys.files / "cluster.pub";
  CHECK(error_of(config).find("cluster.pub") != std::string::npos);
  config = keys.shared();
  config.security.secret_key_file = keys.files / "nothing.key";
  CHECK(error_of(config).find("nothing.key") != std::string::npos);
  config = keys.shared();
  config.security.allow_dir = keys.files / "no-directory";
  CHECK(error_of(config).find("no-directory") != std::string::npos);
}

TEST_CASE("other than loopback addresses need keys or the word insecure") {
  Keys keys;
  const auto bind_error = [](const HubConfig& config, const std::string& router,
                             const std::string& publisher) {
    Node node(config);
    const auto bound = node.transport->bind(router, publisher);
    return bound ? Error{} : bound.error();
  };
  for (const char* address : {"tcp://*:0", "tcp://0.0.0.0:0", "tcp://192.0.2.1:0"}) {
    CAPTURE(address);
    const auto error = bind_error({}, address, "");
    CHECK(error.code == ErrorCode::invalid);
    CHECK(error.message.find("security.insecure") != std::string::npos);
    CHECK(error.message.find("secret_key_file") != std::string::npos);
    CHECK(bind_error({}, "tcp://127.0.0.1:0", address).code == ErrorCode::invalid);
  }
  HubConfig insecure;
  insecure.security.insecure = true;
  CHECK(bind_error(insecure, "tcp://*:0", "").message.empty());
  CHECK(bind_error(keys.shared(), "tcp://0.0.0.0:0", "").message.empty());
  CHECK(bind_error({}, "tcp://localhost:0", "tcp://127.9.9.9:0").message.empty());
}

TEST_CASE("a client gets in with an allowed key, and is told when its key is refused") {
  Keys keys;
  keys.allow("user");
  struct Echo : Node {
    using Node::Node;
    void on_route_frame(RouteId route, std::string_view frame) override { transport->reply(route, frame); }
  };
  Echo server(keys.own("node-a"));
  server.listen();
  SecurityConfig security{.secret_key_file = keys.key("user"), .server_key_file = keys.files / "cluster.pub"};
  auto options = client_options(security);
  REQUIRE(options);
  // The handshake needs no help of the node's loop.
  auto client = ClientSocket::connect(server.address.router, kPatience, *options);
  REQUIRE_MESSAGE(client, client.error().message);
  REQUIRE(client->send("hello"));
  Result<std::optional<std::string>> answer{std::optional<std::string>()};
  REQUIRE(poll_until({&server}, [&] {
    answer = client->receive(0ms);
    return !answer || answer->has_value();
  }));
  REQUIRE(answer);
  CHECK(**answer == "hello");

  security.secret_key_file = keys.key("stranger");
  const auto refused = ClientSocket::connect(server.address.router, kPatience, *client_options(security));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::refused);
  CHECK_FALSE(ClientSocket::connect(server.address.router, kPatience));
}

}  // namespace processhub::zmq_test::zmq_security_test
