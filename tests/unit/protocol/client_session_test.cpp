#include <doctest/doctest.h>

#include <optional>
#include <variant>

#include "core/protocol/client_session.hpp"

namespace client_session_test {

using namespace processhub;
using namespace processhub::protocol;

namespace {

const NodeId kClient = NodeId::of("client", 1);
const NodeId kNode = NodeId::of("node", 2);

template <class M>
Bytes frame_of(FrameType type, const M& message) {
  Bytes frame;
  put_preamble(frame, type);
  Writer writer(frame);
  put(writer, message);
  return frame;
}

/// The node's end of the conversation: answers hellos, and each request with its own verb.
struct FakeNode {
  std::optional<LinkSession> session{};
  std::vector<AdminRequest> requests{};
  std::vector<Bytes> out{};

  void on_frame(Time now, std::string_view frame) {
    const auto type = take_preamble(frame);
    REQUIRE(type.has_value());
    if (*type == FrameType::hello) return on_hello(frame);
    const auto header = take_session_header(frame);
    REQUIRE(header.has_value());
    session->on_frame(now, *header, frame, [&](const Part& part) {
      auto request = std::get<AdminRequest>(*decode_message(part.kind, part.body));
      session->send(Lane::control, AdminReply{request.request, 0, request.verb});
      requests.push_back(std::move(request));
    });
    session->flush(now, [&](Bytes f) { out.push_back(std::move(f)); });
  }

 private:
  void on_hello(std::string_view body) {
    Reader reader(body);
    Hello hello;
    get(reader, hello);
    CHECK(hello.role == PeerRole::client);
    CHECK(hello.hub_id.empty());
    session.emplace(session_id(99, hello.nonce, kNode.hash(), hello.self.id.hash()), SessionLimits{});
    Hello answer;
    answer.self.id = kNode;
    answer.nonce = 99;
    answer.echo_nonce = hello.nonce;
    out.push_back(frame_of(FrameType::hello, answer));
  }
};

/// Carries frames to and fro until nothing moves.
void exchange(ClientSession& client, FakeNode& node, Time now) {
  for (bool moved = true; moved;) {
    std::vector<Bytes> frames;
    client.flush(now, frames);
    for (const auto& frame : frames) node.on_frame(now, frame);
    moved = !frames.empty() || !node.out.empty();
    for (const auto& frame : std::exchange(node.out, {})) client.on_frame(now, frame);
  }
}

}  // namespace

TEST_CASE("a request made before the hello is answered goes out once the session is open") {
  ClientSession client(kClient, 5);
  FakeNode node;
  REQUIRE(client.request({1, "status", {}}));
  CHECK(client.state() == ClientSession::State::greeting);
  exchange(client, node, Time(0));
  CHECK(client.state() == ClientSession::State::open);
  CHECK(client.node() == kNode);
  auto reply = client.take_reply();
  REQUIRE(reply.has_value());
  CHECK(reply->request == 1);
  CHECK(reply->body == "status");
  CHECK_FALSE(client.take_reply().has_value());
}

TEST_CASE("a lost request is sent again and carried out once") {
  ClientSession client(kClient, 5);
  FakeNode node;
  exchange(client, node, Time(0));
  REQUIRE(client.request({1, "stop", {}}));
  std::vector<Bytes> lost;
  client.flush(Time(0), lost);
  REQUIRE(lost.size() == 1);
  const auto again = client.next_deadline();
  REQUIRE(again < kNever);
  exchange(client, node, again);
  for (const auto& frame : lost) node.on_frame(again, frame);
  exchange(client, node, again);
  CHECK(node.requests.size() == 1);
  CHECK(client.take_reply().has_value());
}

TEST_CASE("hello is repeated until it is answered") {
  ClientSession client(kClient, 5);
  std::vector<Bytes> frames;
  client.flush(Time(0), frames);
  client.flush(Time(0), frames);
  CHECK(frames.size() == 1);
  client.flush(client.next_deadline(), frames);
  CHECK(frames.size() == 2);
}

TEST_CASE("an answer to another client's hello opens nothing") {
  ClientSession client(kClient, 5);
  Hello stray;
  stray.self.id = kNode;
  stray.nonce = 99;
  stray.echo_nonce = 6;
  client.on_frame(Time(0), frame_of(FrameType::hello, stray));
  CHECK(client.state() == ClientSession::State::greeting);
}

TEST_CASE("a goodbye names the session, once") {
  ClientSession client(kClient, 5);
  CHECK_FALSE(client.goodbye());
  FakeNode node;
  exchange(client, node, Time(0));
  const auto id = node.session->id();
  auto bye = client.goodbye();
  REQUIRE(bye);
  std::string_view in = *bye;
  CHECK(take_preamble(in) == FrameType::reset);
  CHECK(take_u64(in) == id);
  CHECK(client.state() == ClientSession::State::ended);
  CHECK_FALSE(client.goodbye());
}

TEST_CASE("a refusal, a reset and foreign bytes end the session with a reason") {
  ClientSession refused(kClient, 5);
  refused.on_frame(Time(0), frame_of(FrameType::refusal, Refusal{"h", kClient, kNode, "no room", 0}));
  CHECK(refused.state() == ClientSession::State::ended);
  CHECK(refused.why().find("no room") != std::string::npos);

  ClientSession other(kClient, 5);
  other.on_frame(Time(0), frame_of(FrameType::refusal, Refusal{"h", kNode, kNode, "not you", 0}));
  CHECK(other.state() == ClientSession::State::greeting);

  ClientSession reset(kClient, 5);
  FakeNode node;
  exchange(reset, node, Time(0));
  auto reset_of = [](std::uint64_t session) {
    Bytes frame;
    put_preamble(frame, FrameType::reset);
    put_u64(frame, session);
    return frame;
  };
  reset.on_frame(Time(0), reset_of(node.session->id() + 1));
  CHECK(reset.state() == ClientSession::State::open);
  reset.on_frame(Time(0), reset_of(node.session->id()));
  CHECK(reset.state() == ClientSession::State::ended);

  ClientSession foreign(kClient, 5);
  foreign.on_frame(Time(0), "HTTP/1.1 400 Bad Request");
  CHECK(foreign.state() == ClientSession::State::ended);
}

}  // namespace client_session_test
