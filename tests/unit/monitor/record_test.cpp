// Recordings of zmq-monitor: what is read again, and what is told of a file that is none.
#include "tools/zmq-monitor/record.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

namespace record_test {

using namespace processhub;
using namespace processhub::monitor;

namespace {

const std::string kHeader = "{\"processhub_recording\":1,\"what\":\"events\",\"began_us\":1,\"from\":[]}\n";
const std::string kEvents =
    R"({"time_us":1000000,"node":"a","part":"moves","level":"info","text":"moved x","children":["x-1"]})"
    "\n"
    R"({"time_us":2000000,"node":"b","part":"membership","level":"warn","text":"node c/7 is down","children":[]})"
    "\n";
const std::string kMessages =
    R"({"time_us":1,"node":"a","hop":"sent","kind":"call","child":"x-1","message":"add"})"
    "\n"
    R"({"time_us":2,"node":"b","hop":"sent","kind":"topic","topic":"orders.eu"})"
    "\n";

struct Shown {
  std::string out{};
  std::string error{};
};

Shown show(const std::string& text, const ReplayFilter& filter = {}, bool json = true) {
  std::istringstream in(text);
  std::ostringstream out;
  auto done = replay(in, "f", filter, json, out);
  return {out.str(), done ? "" : done.error().message};
}

std::size_t lines(const Shown& shown) {
  CHECK(shown.error.empty());
  return static_cast<std::size_t>(std::count(shown.out.begin(), shown.out.end(), '\n'));
}

}  // namespace

TEST_CASE("monitor: a recording is shown as it was, as JSON or as people read it") {
  CHECK(show(kHeader + kEvents).out == kEvents);
  const auto text = show(kHeader + kEvents, {}, false).out;
  CHECK(text == "00:00:01.000 a moves: moved x\n00:00:02.000 b membership warn: node c/7 is down\n");
  CHECK(lines(show(kHeader)) == 0);
}

TEST_CASE("monitor: a recording is filtered as tail filters") {
  const auto events = kHeader + kEvents;
  CHECK(lines(show(events, {"x-1", "", "", "", ""})) == 1);
  CHECK(lines(show(events, {"c", "", "", "", ""})) == 1);
  CHECK(lines(show(events, {"d", "", "", "", ""})) == 0);
  CHECK(lines(show(events, {"", "b", "", "", ""})) == 1);
  CHECK(lines(show(events, {"", "", "x-*", "", ""})) == 1);
  CHECK(lines(show(events, {"", "", "x", "", ""})) == 0);
  CHECK(lines(show(events, {"", "", "", "moves", ""})) == 1);
  CHECK(lines(show(events, {"", "b", "", "moves", ""})) == 0);
  const auto messages = kHeader + kMessages;
  CHECK(lines(show(messages, {"x-1", "", "", "", ""})) == 1);
  CHECK(lines(show(messages, {"", "", "", "call", ""})) == 1);
  CHECK(lines(show(messages, {"", "", "", "add", ""})) == 1);
  CHECK(lines(show(messages, {"", "", "", "", "orders.*"})) == 1);
  CHECK(lines(show(messages, {"", "", "", "", "*"})) == 0);
}

TEST_CASE("monitor: a file that is no recording is refused with the line that is wrong") {
  CHECK(show("").error == "f:1: this is no recording of zmq-monitor");
  CHECK(show("hello\n").error == "f:1: this is no recording of zmq-monitor");
  CHECK(show("[1]\n").error == "f:1: this is no recording of zmq-monitor");
  CHECK(show("{\"processhub_recording\":2}\n").error ==
        "f:1: the recording has version 2, and this program reads version 1");
  CHECK(show(kHeader + "{\"time_us\":1}\n").error == "f:2: an entry needs time_us and node");
  CHECK(show(kHeader + "[]\n").error == "f:2: not an object");
  CHECK(show(kHeader + R"({"time_us":1,"node":"a","text":5})" + "\n").error == "f:2: text is no text");
  const auto torn = show(kHeader + kEvents + "{\"time_us\":3,\"no");
  CHECK(torn.error == "f:4: this is no JSON");
  CHECK(torn.out == kEvents);
}

}  // namespace record_test
