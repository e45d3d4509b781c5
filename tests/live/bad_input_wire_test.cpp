// Bytes that no node sent: they cost a line in the log and a counter, and disturb nobody.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <string_view>
#include <zmq.hpp>

#include "core/protocol/frame.hpp"
#include "core/protocol/messages.hpp"
#include "tests/live/support/process_cluster.hpp"

namespace bad_input_wire_test {

using live::ProcessCluster;
namespace ph = processhub;
namespace wire = processhub::protocol;

namespace {

std::string random_bytes(std::mt19937& random, std::size_t size) {
  std::string out(size, '\0');
  for (auto& c : out) c = static_cast<char>(random());
  return out;
}

std::uint16_t port_of(const std::string& endpoint) {
  return static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
}

/// A port that was free a moment ago.
std::uint16_t free_port() {
  live::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

/// Writes bytes to a TCP port as somebody would who takes it for another service.
void write_to_port(std::uint16_t port, std::string_view bytes) {
  live::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  // The node may hang up in the middle, which is its right.
  while (!bytes.empty()) {
    const auto n = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

/// A stranger that speaks ZeroMQ.
struct Stranger {
  zmq::context_t context{1};
  zmq::socket_t socket{context, zmq::socket_type::dealer};
  explicit Stranger(const std::string& endpoint) {
    socket.set(zmq::sockopt::linger, 2000);
    socket.connect(endpoint);
  }
  void send(std::string_view frame) { socket.send(zmq::buffer(frame), zmq::send_flags::none); }
  /// What comes back within a generous time; empty if nothing does.
  std::string receive() {
    socket.set(zmq::sockopt::rcvtimeo, static_cast<int>(live::patience(std::chrono::seconds(10)).count()));
    zmq::message_t part;
    std::string last;
    do {
      if (!socket.recv(part)) return {};
      last = part.to_string();
    } while (part.more());
    return last;
  }
};

std::string hello_frame(const wire::Hello& hello) {
  std::string frame;
  wire::put_preamble(frame, wire::FrameType::hello);
  wire::Writer writer(frame);
  wire::put(writer, hello);
  return frame;
}

wire::Hello stranger_hello(const std::string& hub_id) {
  wire::Hello hello;
  hello.hub_id = hub_id;
  hello.self.id = ph::NodeId::of("stranger", 1);
  hello.self.router = "tcp://127.0.0.1:1";
  hello.self.pub = "tcp://127.0.0.1:1";
  hello.nonce = 7;
  return hello;
}

struct TwoNodes {
  ProcessCluster cluster{};
  std::uint16_t pub_port = free_port();
  TwoNodes() {
    cluster.start("a", {"--pub_listen", "tcp://127.0.0.1:" + std::to_string(pub_port)});
    cluster.start(std::vector<std::string>{"b"});
    REQUIRE(cluster.ask("a", {"start", "x", "--count", "20", "--type", "counter"}).exit == live::done);
    undisturbed();
  }
  void undisturbed() const {
    CHECK(live::eventually([&] { return cluster.all_see({"a", "b"}) && cluster.each_runs_once(20); }));
    CHECK(live::eventually([&] { return cluster.digests_agree(); }));
    CHECK(cluster.query("b", {"call", "x-7", "get", "{}"}) == live::Json{{"total", 0}});
  }
  void logs_mention(const std::string& text) const {
    CHECK_MESSAGE(live::eventually([&] { return cluster.log("a").find(text) != std::string::npos; }),
                  cluster.log("a"));
  }
};

}  // namespace

TEST_CASE("garbage bytes on the ROUTER and the PUB port disturb nobody") {
  TwoNodes two;
  std::mt19937 random(1);
  const auto router_port = port_of(two.cluster.endpoint("a"));
  for (int round = 0; round < 50; ++round) {
    for (const auto port : {router_port, two.pub_port}) {
      write_to_port(port, random_bytes(random, 1 + random() % 3000));
      write_to_port(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
  }
  two.undisturbed();
}

TEST_CASE("garbage frames from a peer that speaks ZeroMQ are counted and logged once in a while, not each") {
  TwoNodes two;
  std::mt19937 random(2);
  Stranger stranger(two.cluster.endpoint("a"));
  for (int i = 0; i < 2000; ++i) stranger.send(random_bytes(random, random() % 500));
  for (int type = 0; type < 8; ++type) {
    std::string frame = {'P', 'H', static_cast<char>(wire::kProtocolVersion), static_cast<char>(type)};
    for (int i = 0; i < 50; ++i) stranger.send(frame + random_bytes(random, random() % 200));
  }
  two.logs_mention("ignored a frame");
  two.undisturbed();
  const auto log = two.cluster.log("a");
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = log.find("ignored a frame", at)) != std::string::npos; ++at) ++lines;
  CHECK(lines < 100);
}

TEST_CASE("hellos for another hub are ignored and counted") {
  TwoNodes two;
  Stranger stranger(two.cluster.endpoint("a"));
  for (int i = 0; i < 10; ++i) stranger.send(hello_frame(stranger_hello("another-hub")));
  two.logs_mention("another hub");
  two.undisturbed();
}

TEST_CASE("a node of another hub that is given our address as a seed stays alone") {
  TwoNodes two;
  ProcessCluster other;
  other.start("a", {"--seed", two.cluster.endpoint("a")});
  two.logs_mention("another hub");
  CHECK(live::eventually([&] { return other.all_see({"a"}); }));
  CHECK(other.query("a", {"list"}) == live::Json::array());
  two.undisturbed();
}

TEST_CASE("a hello of a protocol version that is not spoken here is refused with both versions") {
  TwoNodes two;
  auto hello = stranger_hello(two.cluster.hub_id());
  hello.version_min = 0;
  hello.version_max = 0;
  Stranger stranger(two.cluster.endpoint("a"));
  stranger.send(hello_frame(hello));
  const auto answer = stranger.receive();
  CHECK(answer.find("protocol version 1") != std::string::npos);
  two.logs_mention("protocol version");

  std::string old = hello_frame(stranger_hello(two.cluster.hub_id()));
  old[2] = 0;
  stranger.send(old);
  two.undisturbed();
}

TEST_CASE("a second node of a living name is refused and the first goes on") {
  TwoNodes two;
  live::Process twin({{live::program_path("hubd"), "--name", "a", "--hub.id", two.cluster.hub_id(),
                       "--listen", "tcp://127.0.0.1:0", "--plugin", live::program_path("libcounter.so"),
                       "--seed", two.cluster.endpoint("b")},
                      two.cluster.directory().path() / "twin.log",
                      {},
                      false});
  const auto code = twin.wait_exit(std::chrono::seconds(30));
  REQUIRE(code.has_value());
  CHECK(*code != 0);
  CHECK(two.cluster.log("twin").find("a") != std::string::npos);
  two.undisturbed();
}

}  // namespace bad_input_wire_test
