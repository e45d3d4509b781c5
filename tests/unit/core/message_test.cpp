#include "processhub/message.hpp"

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <vector>

namespace processhub::message_test {
namespace {

struct Inner {
  std::string text{};
  std::vector<std::int64_t> numbers{};
  PROCESSHUB_FIELDS(text, numbers)
};
struct GetBoth {
  std::int64_t by = 0;
  Inner inner{};
  PROCESSHUB_FIELDS(by, inner)
};
struct HTTPRequest {
  PROCESSHUB_FIELDS()
};
struct Renamed {
  static constexpr std::string_view ph_name = "other";
  PROCESSHUB_FIELDS()
};

static_assert(message_name<GetBoth>() == "get_both");
static_assert(message_name<HTTPRequest>() == "http_request");
static_assert(message_name<Renamed>() == "other");

Bytes bytes(std::initializer_list<int> list) {
  Bytes out;
  for (const int b : list) out.push_back(static_cast<char>(b));
  return out;
}

TEST_CASE("messages: a value survives the way there and back, as an array and as a map") {
  const GetBoth sent{7, {"hello", {1, -2, 3'000'000'000}}};
  for (const auto& encoded : {encode(sent), encode_named(sent)}) {
    const auto got = decode<GetBoth>(encoded);
    REQUIRE(got);
    CHECK(got->by == 7);
    CHECK(got->inner.text == "hello");
    CHECK(got->inner.numbers == sent.inner.numbers);
  }
  CHECK(encode(sent).front() == bytes({0x92}).front());
  CHECK(encode_named(sent).front() == bytes({0x82}).front());
}

TEST_CASE("messages: a struct inside a function may be a message, too") {
  struct Local {
    std::int64_t a = 0;
    std::string b{};
    PROCESSHUB_FIELDS(a, b)
  };
  CHECK(decode<Local>(encode(Local{.a = 7, .b = "x"})).value().b == "x");
  CHECK(encode_named(Local{.a = 7, .b = "x"}) ==
        "\x82\xa1"
        "a\x07\xa1"
        "b\xa1x");
}

TEST_CASE("messages: missing fields keep their defaults, unknown and surplus ones are errors") {
  CHECK(decode<GetBoth>(bytes({0x90})));
  const auto unknown = decode<GetBoth>(bytes({0x81, 0xa1, 'x', 0x01}));
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message.find("unknown field 'x'") != std::string::npos);
  CHECK_FALSE(decode<GetBoth>(bytes({0x93, 0x01, 0x90, 0x01})));
}

TEST_CASE("messages: what does not fit names the type and is no_such_message") {
  const auto wrong = decode<GetBoth>(bytes({0x91, 0xa1, 'x'}));
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == ErrorCode::no_such_message);
  CHECK(wrong.error().message == "payload does not fit GetBoth: by: a text does not fit there");
  const auto inside = decode<GetBoth>(bytes({0x92, 0x01, 0x91, 0x05}));
  REQUIRE_FALSE(inside);
  CHECK(inside.error().message ==
        "payload does not fit GetBoth: inner: text: a number of 0 or more does not fit there");
}

TEST_CASE("messages: field names are kept in lists, maps and optional values, too") {
  struct Page {
    std::vector<HTTPRequest> requests{};
    std::optional<Renamed> first{};
    std::map<std::string, Inner> by_name{};
    PROCESSHUB_FIELDS(requests, first, by_name)
  };
  const auto named = encode_named(Page{{{}, {}}, std::nullopt, {{"a", {"t", {1}}}}});
  CHECK(named ==
        "\x83\xa8requests\x92\x80\x80\xa5"
        "first\xc0\xa7"
        "by_name\x81\xa1"
        "a\x82\xa4text\xa1t\xa7numbers\x91\x01");
  const auto back = decode<Page>(named);
  REQUIRE(back);
  CHECK(back->by_name.at("a").text == "t");
}

TEST_CASE("messages: an answer that is only waited for has no value") { CHECK(decode<void>(bytes({0xc0}))); }

TEST_CASE("bounded decoding: every kind of msgpack value passes") {
  const std::map<std::string, double> map{{"a", 1.5}, {"b", -2}};
  CHECK(decode<std::map<std::string, double>>(encode(map)).value() == map);
  CHECK(*decode<std::string>(encode(std::string(70'000, 'x'))) == std::string(70'000, 'x'));
  const std::vector<std::int64_t> numbers{
      0, 127, 128, 255, 256, 65'536, -1, -32, -33, -129, -40'000, -3'000'000'000, 1LL << 40};
  CHECK(*decode<std::vector<std::int64_t>>(encode(numbers)) == numbers);
  const std::vector<std::int64_t> many(70'000, 5);
  CHECK(*decode<std::vector<std::int64_t>>(encode(many)) == many);
  CHECK(decode<bool>(bytes({0xc3})));
  CHECK(decode<float>(encode(1.0F)));
  CHECK_NOTHROW(detail::Unpacked(bytes({0xd4, 0x01, 0x02})));
  CHECK_NOTHROW(detail::Unpacked(bytes({0xc7, 0x01, 0x05, 0x02})));
}

TEST_CASE("bounded decoding: the objects are those of msgpack itself") {
  const auto all =
      bytes({0xdc, 0x00, 0x11,                                      // an array of 17:
             0xc0, 0xc2, 0xc3, 0x07, 0xff, 0xd0, 0x80, 0xd0, 0x05,  // nil, booleans, small numbers
             0xd1, 0x80, 0x00, 0xcc, 0xff,                          //
             0xca, 0x3f, 0x80, 0x00, 0x00,                          // 1.0 in four bytes
             0xcb, 0xbf, 0xf0, 0,    0,    0,    0,    0,    0,     // -1.0 in eight
             0xa2, 'h',  'i',  0xc4, 0x01, 'b',                     // text, binary
             0xd5, 0x05, 'x',  'y',  0xc7, 0x01, 0x06, 'z',         // two extensions
             0x81, 0x01, 0x92, 0x02, 0x03, 0x90});                  // {1: [2, 3]}, []
  const auto expected = msgpack::unpack(all.data(), all.size());
  CHECK(detail::Unpacked(all).get() == expected.get());
}

TEST_CASE("bounded decoding: a text inside a text, and the next one after a mistake") {
  const detail::Unpacked outer(bytes({0x92, 0x01, 0x02}));
  {
    const detail::Unpacked inner(bytes({0x93, 0x07, 0x08, 0x09}));
    CHECK(inner.get().via.array.ptr[2].via.u64 == 9);
  }
  CHECK_THROWS(detail::Unpacked(bytes({0x92, 0x01})));
  CHECK(outer.get().via.array.ptr[1].via.u64 == 2);
  CHECK(*decode<std::vector<int>>(encode(std::vector<int>{4, 5})) == std::vector<int>{4, 5});
}

TEST_CASE(
    "bounded decoding: a few bytes that claim billions of elements are refused before anything is "
    "allocated") {
  CHECK_THROWS(detail::Unpacked(bytes({0xdd, 0xff, 0xff, 0xff, 0xff})));
  CHECK_THROWS(detail::Unpacked(bytes({0xdf, 0x7f, 0xff, 0xff, 0xff})));
  // Each level alone has enough bytes behind it, all together do not.
  Bytes nested;
  for (int i = 0; i < 50; ++i) nested += bytes({0xdc, 0x01, 0x00});
  nested.resize(nested.size() + 300, '\x01');
  CHECK_THROWS(detail::Unpacked(nested));
}

TEST_CASE("bounded decoding: 64 levels pass and 65 do not") {
  CHECK_NOTHROW(detail::Unpacked(Bytes(63, '\x91') + "\x01"));
  CHECK_THROWS(detail::Unpacked(Bytes(64, '\x91') + "\x01"));
  CHECK_THROWS(detail::Unpacked(Bytes(1'000'000, '\x91')));
}

TEST_CASE("bounded decoding: truncated, trailing and reserved bytes are refused") {
  const auto whole = encode(GetBoth{7, {"hello", {1, 2, 300}}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_THROWS(detail::Unpacked(std::string_view(whole).substr(0, size)));
  }
  CHECK_THROWS(detail::Unpacked(whole + "x"));
  CHECK_THROWS(detail::Unpacked(bytes({0xc1})));
}

}  // namespace
}  // namespace processhub::message_test
