// Damaged input at every decoder: no crash, no runaway allocation, no endless loop; good input survives a
// round trip.
#include <doctest/doctest.h>

#include <string>

#include "core/protocol/context.hpp"
#include "core/protocol/frame.hpp"
#include "core/protocol/messages.hpp"
#include "tests/support/encoded.hpp"

namespace processhub::protocol::wire_test {
namespace {

template <std::size_t I = 0, class F>
void for_each_kind(F f) {
  if constexpr (I < kMessageKinds) {
    f.template operator()<std::variant_alternative_t<I, Message>>();
    for_each_kind<I + 1>(f);
  }
}

SpecDelta rich_delta() {
  auto node = NodeId::of("node-a", 123456789);
  auto spec = std::make_shared<SpecRecord>();
  spec->uid = {node, 77};
  ChildSpec child{.id = "child", .type = "counter"};
  child.args = Payload::raw(std::string(300, '\x01'));
  child.metadata = {{"k", "v"}, {"", std::string(70'000, 'm')}};
  child.max_restarts = 3;
  spec->spec = SharedSpec(child);
  spec->first = {node, NodeId::of("b", 1)};
  SpecDelta d;
  d.added = {spec, spec};
  d.removed = {{node, 1}, {NodeId{}, 2}};
  d.values = {{{node, 1}, SpecValue{2, node, true, "why", {}, {1, node, Metadata{{"a", "b"}}}, {}}}};
  d.statics = {{"s", 1, true, 2, node}};
  return d;
}

TEST_CASE("every message kind survives a round trip with default fields") {
  for_each_kind([]<class M>() {
    auto bytes = encoded(M{});
    auto back = decode_message(message_kind<M>(), bytes);
    REQUIRE(back);
    CHECK(std::holds_alternative<M>(*back));
    CHECK(encoded(std::get<M>(*back)) == bytes);
  });
}

TEST_CASE("a rich spec delta survives a round trip to the byte") {
  auto bytes = encoded(rich_delta());
  auto back = decode_message(message_kind<SpecDelta>(), bytes);
  REQUIRE(back);
  CHECK(encoded(std::get<SpecDelta>(*back)) == bytes);
  CHECK(std::get<SpecDelta>(*back).added[0]->spec.kind->metadata.size() == 2);
}

TEST_CASE("fields of a later version are skipped and missing ones keep their defaults") {
  Bytes longer;
  Writer w(longer);
  w.array(3);
  w.uint(42);
  w.text("a field of the future");
  w.array(1);
  w.uint(1);
  auto back = decode_message(message_kind<PubAck>(), longer);
  REQUIRE(back);
  CHECK(std::get<PubAck>(*back).seq == 42);
  Bytes shorter;
  Writer s(shorter);
  s.array(1);
  s.uint(9);
  auto probe = decode_message(message_kind<Probe>(), shorter);
  REQUIRE(probe);
  CHECK(std::get<Probe>(*probe).nonce == 9);
}

TEST_CASE("truncated messages of every kind are refused") {
  auto bytes = encoded(rich_delta());
  for (std::size_t n = 0; n + 1 < bytes.size(); n += 1 + n / 64) {
    CHECK_FALSE(decode_message(message_kind<SpecDelta>(), std::string_view(bytes).substr(0, n)));
  }
  CHECK_FALSE(decode_message(message_kind<SpecDelta>(), bytes + "x"));
  CHECK_FALSE(decode_message(60'000, bytes));
}

TEST_CASE("random bytes and flipped bits never crash a decoder") {
  Rng rng(20'26);
  const Bytes goods[] = {encoded(Heartbeat{1, 2, 3, 1ULL << 60, MemberStatus::synced, 70'000, 5}),
                         encoded(CallRequest{NodeId::of("a", 1), 7, "id", "message", "body", true, {}, 1}),
                         encoded(CallReply{7, ErrorCode::moved, "body", {}})};
  const std::uint16_t kinds[] = {message_kind<Heartbeat>(), message_kind<CallRequest>(),
                                 message_kind<CallReply>()};
  int parsed = 0;
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes;
    if (round % 2 == 0) {
      bytes.resize(rng.below(200));
      for (auto& c : bytes) c = static_cast<char>(rng.next());
    } else {
      bytes = goods[round / 2 % 3];
      bytes[rng.below(bytes.size())] = static_cast<char>(rng.next());
    }
    auto kind = round % 2 == 0 ? static_cast<std::uint16_t>(rng.below(kMessageKinds)) : kinds[round / 2 % 3];
    parsed += decode_message(kind, bytes) ? 1 : 0;
    std::string_view in = bytes;
    if (auto type = take_preamble(in); type == FrameType::session) (void)take_session_header(in);
    while (auto part = take_part(in)) parsed += part->body.empty() ? 0 : 1;
  }
  CHECK(parsed > 0);  // some damage is harmless: otherwise this test would only exercise one branch
}

TEST_CASE("an array that claims more elements than there are bytes allocates nothing") {
  Bytes bytes("\x92\x01\xdd\x7f\xff\xff\xff\x01", 8);  // [1, array of 2^31 …
  CHECK_FALSE(decode_message(message_kind<Reserve>(), bytes));
  CHECK_FALSE(decode_message(message_kind<Pull>(), bytes));
}

}  // namespace
}  // namespace processhub::protocol::wire_test
