#include <doctest/doctest.h>

#include <processhub/message.hpp>

#include "tools/hubctl/json_payload.hpp"

namespace json_payload_test {

using namespace processhub;
using namespace processhub::hubctl;

namespace {

struct Order {
  std::int64_t amount = 0;
  std::string item{};
  std::vector<double> prices{};
  PROCESSHUB_FIELDS(amount, item, prices)
};

}  // namespace

TEST_CASE("a JSON object becomes a payload that a typed message decodes") {
  auto json = parse_json(R"({"item": "tea", "amount": -3, "prices": [1.5, 2]})", "body");
  REQUIRE(json.ok());
  auto order = decode<Order>(to_msgpack(*json));
  REQUIRE_MESSAGE(order.ok(), order.error().message);
  CHECK(order->amount == -3);
  CHECK(order->item == "tea");
  CHECK(order->prices == std::vector<double>{1.5, 2.0});
}

TEST_CASE("a named answer becomes a JSON object") {
  auto json = from_msgpack(encode_named(Order{7, "tea", {0.5}}));
  REQUIRE(json.ok());
  CHECK(*json == Json::parse(R"({"amount":7,"item":"tea","prices":[0.5]})"));
}

TEST_CASE("an answer without a value is null and bytes that are no msgpack are an error") {
  CHECK(from_msgpack("")->is_null());
  CHECK(from_msgpack("\xc0")->is_null());
  CHECK_FALSE(from_msgpack("\xc1").ok());
  CHECK_FALSE(from_msgpack("\x92\x01").ok());
}

TEST_CASE("text that is no JSON is named in the error") {
  auto json = parse_json("{", "--args");
  REQUIRE_FALSE(json.ok());
  CHECK(json.error().message == "--args: expected JSON; what is written breaks off or goes wrong at byte 2");
}

TEST_CASE("JSON that is nested too deep is refused") {
  CHECK(parse_json(std::string(64, '[') + std::string(64, ']'), "x").ok());
  for (const std::size_t depth : {66, 100'000}) {
    auto deep = parse_json(std::string(depth, '[') + std::string(depth, ']'), "x");
    REQUIRE_FALSE(deep.ok());
    CHECK(deep.error().message.find("64 levels") != std::string::npos);
  }
}

TEST_CASE("bytes that are no text print as replacement characters") {
  CHECK(to_line(Json("a\xff")) == "\"a\xef\xbf\xbd\"");
}

}  // namespace json_payload_test
