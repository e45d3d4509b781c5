#include "core/config/values.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace values_test {

using namespace processhub;
using namespace processhub::config;
using namespace std::chrono_literals;

TEST_CASE("durations are a whole number and a unit") {
  CHECK(parse_duration("250ms").value() == 250ms);
  CHECK(parse_duration("2s").value() == 2s);
  CHECK(parse_duration("1m").value() == 1min);
  CHECK(parse_duration("3h").value() == 3h);
  CHECK(parse_duration("0s").value() == 0ms);
  for (const char* bad : {"", "ms", "s", "-1s", "+1s", "1.5s", "1 s", "1d", "1S", "1sm",
                          "99999999999999999999s", "9223372036854775807s"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_duration(bad).ok());
  }
}

TEST_CASE("a duration without a unit is refused by name of the units") {
  CHECK(parse_duration("200").error().message ==
        "expected a duration such as 250ms, 2s or 1m, not '200': the unit (ms, s, m or h) is missing");
}

TEST_CASE("durations are written in the largest unit that fits, and read back") {
  CHECK(format_duration(200ms) == "200ms");
  CHECK(format_duration(2'000ms) == "2s");
  CHECK(format_duration(90s) == "90s");
  CHECK(format_duration(60s) == "1m");
  CHECK(format_duration(0ms) == "0ms");
  for (const auto value : {0ms, 1ms, 999ms, 1'000ms, 61'000ms, 3'600'000ms, 31'536'000'000ms}) {
    CHECK(parse_duration(format_duration(value)).value() == value);
  }
}

TEST_CASE("sizes are bytes, or have a binary unit") {
  CHECK(parse_size("65536").value() == 65'536);
  CHECK(parse_size("64KiB").value() == 65'536);
  CHECK(parse_size("64MiB").value() == 64ULL << 20);
  CHECK(parse_size("2GiB").value() == 2ULL << 30);
  CHECK(format_size(64ULL << 20) == "64MiB");
  CHECK(format_size(1'000) == "1000");
  for (const char* bad : {"", "64MB", "64 MiB", "-1", "1e6", "99999999999GiB"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_size(bad).ok());
  }
}

TEST_CASE("counts, numbers and flags take nothing but themselves") {
  CHECK(parse_count("0", 10).value() == 0);
  CHECK(parse_count("10", 10).value() == 10);
  for (const char* bad : {"", "11", "-1", "0x1", "1 ", "1.0", "one"}) CHECK_FALSE(parse_count(bad, 10).ok());
  CHECK(parse_real("0.5").value() == 0.5);
  CHECK(parse_real("1e3").value() == 1'000.0);
  for (const char* bad : {"", "nan", "inf", "1,5", "x"}) CHECK_FALSE(parse_real(bad).ok());
  CHECK(parse_real(format_real(0.1)).value() == 0.1);
  CHECK(parse_flag("true").value());
  CHECK_FALSE(parse_flag("false").value());
  for (const char* bad : {"", "1", "yes", "True"}) CHECK_FALSE(parse_flag(bad).ok());
}

TEST_CASE("addresses are tcp with a host and a port") {
  const auto plain = parse_endpoint("tcp://127.0.0.1:7001").value();
  CHECK(plain.host == "127.0.0.1");
  CHECK(plain.port == 7001);
  CHECK(parse_endpoint("tcp://[::1]:0").value().host == "[::1]");
  for (const char* bad : {"", "127.0.0.1:1", "tcp://", "tcp://host", "tcp://:1",
                          "tcp://host:", "tcp://host:65536", "tcp://host:-1", "tcp://ho st:1",
                          "tcp://a:1/path", "udp://a:1", "tcp://::1:5", "tcp://a;b:1", "ipc:///tmp/x"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_endpoint(bad).ok());
  }
}

TEST_CASE(
    "loopback and wildcard addresses are told apart from all others, also from names that look like them") {
  const auto at = [](const std::string& host) { return parse_endpoint("tcp://" + host + ":1").value(); };
  for (const char* host : {"127.0.0.1", "127.9.9.9", "localhost", "[::1]", "lo"})
    CHECK(at(host).is_loopback());
  for (const char* host :
       {"*", "0.0.0.0", "10.0.0.1", "127.evil.example", "localhost.example", "[::]", "[fe80::1]", "eth0"}) {
    CAPTURE(host);
    CHECK_FALSE(at(host).is_loopback());
  }
  for (const char* host : {"*", "0.0.0.0", "[::]"}) CHECK(at(host).is_wildcard());
  CHECK_FALSE(at("10.0.0.1").is_wildcard());
}

TEST_CASE("JSON becomes msgpack, and broken, trailing and bottomless JSON is refused") {
  CHECK(parse_json_to_msgpack(R"({"start": 5})").value() == "\x81\xa5start\x05");
  CHECK(parse_json_to_msgpack("[1, true]").value() == "\x92\x01\xc3");
  CHECK(parse_json_to_msgpack(R"("\u0023")").value() == "\xa1#");
  for (const char* bad : {"", "{", "{\"a\"", "{a: 1}", "1 2", "{\"a\": 1} x", "\"\xff\""}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_json_to_msgpack(bad).ok());
  }
  CHECK(parse_json_to_msgpack(std::string(60, '[') + std::string(60, ']')).ok());
  CHECK(parse_json_to_msgpack(std::string(1'000'000, '[')).error().code == ErrorCode::invalid);
  CHECK_FALSE(parse_json_to_msgpack(std::string(70, '[') + std::string(70, ']')).ok());
}

TEST_CASE("a slip of the pen is recognised, another word is not") {
  const std::vector<std::string> known{"listen", "pub_listen", "seed", "suspect_after"};
  CHECK(nearest("lisen", known) == "listen");
  CHECK(nearest("suspect-after", known) == "suspect_after");
  CHECK(nearest("sed", known) == "seed");
  CHECK(nearest("bootstrap", known).empty());
  CHECK(nearest("x", known).empty());
  CHECK(suggestion("seeds", known) == "; did you mean 'seed'?");
}

}  // namespace values_test
