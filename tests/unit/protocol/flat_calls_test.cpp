// The flat form of calls and replies on the wire.
#include <doctest/doctest.h>

#include <string>
#include <tuple>

#include "core/protocol/messages.hpp"
#include "tests/support/encoded.hpp"

namespace processhub::protocol::flat_calls_test {
namespace {

template <class M>
auto fields(const M& message) {
  return message.ph_fields()([](const auto&... f) { return std::tuple(f...); });
}

CallRequest full_request() {
  return {NodeId::of("node-a", 12'345), 77, "child", "add", std::string(300, '\x01'), true,
          Duration(5'000'000),          3};
}

TEST_CASE("flat calls: every field survives, with and without an origin") {
  for (const auto origin : {NodeId{}, NodeId::of("node-a", 12'345)}) {
    auto request = full_request();
    request.origin = origin;
    const auto back = decode_body<CallRequest>(encoded(request));
    REQUIRE(back);
    CHECK(fields(*back) == fields(request));
  }
  const CallReply reply{9, ErrorCode::moved, "gone", {}};
  const auto back = decode_body<CallReply>(encoded(reply));
  REQUIRE(back);
  CHECK(fields(*back) == fields(reply));
}

TEST_CASE("flat calls: a call of this node's own names no node") {
  auto request = full_request();
  request.origin = {};
  CHECK(encoded(request).find("node-a") == std::string::npos);
  CHECK(encoded(request).size() == 28 + 5 + 3 + 300);
}

TEST_CASE("flat calls: a trace travels in the header, and a reader that does not know it skips it") {
  for (const auto origin : {NodeId{}, NodeId::of("node-a", 12'345)}) {
    auto request = full_request();
    request.origin = origin;
    request.trace = std::make_shared<const Trace>(Trace{{1, 2, 3}, {4}, 1});
    auto bytes = encoded(request);
    const auto back = decode_body<CallRequest>(bytes);
    REQUIRE(back);
    CHECK(fields(*back) == fields(request));
    REQUIRE(back->trace);
    CHECK(*back->trace == *request.trace);
    bytes[1] = static_cast<char>(bytes[1] & ~4);  // as if the flag meant nothing
    const auto skipped = decode_body<CallRequest>(bytes);
    REQUIRE(skipped);
    CHECK(fields(*skipped) == fields(request));
    CHECK_FALSE(skipped->trace);
    bytes[1] = static_cast<char>(bytes[1] | 4);
    bytes[0] = 28;  // it says so, and has none
    CHECK_FALSE(decode_body<CallRequest>(bytes));
  }
}

TEST_CASE("flat calls: a longer header of a later version is skipped") {
  auto bytes = encoded(full_request());
  bytes.insert(28, "later");
  bytes[0] = 33;
  const auto back = decode_body<CallRequest>(bytes);
  REQUIRE(back);
  CHECK(fields(*back) == fields(full_request()));
}

TEST_CASE("flat calls: what is cut short or claims too much is refused") {
  auto request = full_request();
  request.body.clear();
  const auto bytes = encoded(request);
  for (std::size_t n = 0; n < bytes.size(); ++n)
    CHECK_FALSE(decode_body<CallRequest>(std::string_view(bytes).substr(0, n)));
  for (const std::size_t at : {4U, 8U}) {  // the sizes of id and message
    auto claims = bytes;
    claims[at + 3] = '\x7f';
    CHECK_FALSE(decode_body<CallRequest>(claims));
  }
  auto endless = bytes;
  endless[27] = '\xff';
  CHECK_FALSE(decode_body<CallRequest>(endless));
  CHECK_FALSE(decode_body<CallReply>(std::string_view("\x0a\0\0", 3)));
  CHECK_FALSE(decode_body<CallReply>(std::string_view("\x02\0", 2)));
}

}  // namespace
}  // namespace processhub::protocol::flat_calls_test
