#include <doctest/doctest.h>

#include <sstream>

#include "tools/hubctl/tables.hpp"

namespace tables_test {

using namespace processhub::hubctl;

namespace {

template <class Print>
std::string printed(Print print, const Json& value) {
  std::ostringstream out;
  print(out, value);
  return out.str();
}

void print_list(std::ostream& out, const Json& children) { print_children(out, children); }
void print_wide(std::ostream& out, const Json& children) { print_children(out, children, true); }

}  // namespace

TEST_CASE("columns are as wide as their widest cell in characters and empty cells show as a dash") {
  Table table({"A", "B", "C"});
  table.add({"äöü", "", "x"});
  table.add({"1", "22", "y"});
  std::ostringstream out;
  table.print(out);
  CHECK(out.str() == "A    B   C\näöü  -   x\n1    22  y\n");
}

TEST_CASE("a child without an instance still has a row") {
  auto children = Json::parse(R"([{"id":"c","type":"t","tag":"","instances":[]}])");
  CHECK(printed(print_list, children) ==
        "ID  TYPE  TAG  NODE  ROLE  STATE\nc   t     -    -     -     waiting\n");
}

TEST_CASE("every instance has a row") {
  auto children = Json::parse(R"([{"id":"c","type":"t","tag":"g","instances":[
      {"node":"a","ref":"a/1/1","role":"active","state":"running","generation":"1.0@a/1"},
      {"node":"b","ref":"b/1/7","role":"passive","state":"running","generation":"1.0@b/1"}]}])");
  auto text = printed(print_list, children);
  CHECK(text.find("1.0@a/1") == std::string::npos);
  CHECK(printed(print_wide, children).find("1.0@a/1") != std::string::npos);
  CHECK(text.find("active") != std::string::npos);
  CHECK(text.find("passive") != std::string::npos);
}

TEST_CASE("a start is summed up with its failures") {
  auto result = Json::parse(R"({"status":"partial","rolled_back":false,"children":[
      {"id":"a","instances":[{"node":"n","state":"running","ref":"n/1/1"}]},
      {"id":"b","instances":[],"code":"already_started","error":"b lives"}]})");
  auto text = printed(print_started, result);
  CHECK(text.find("b lives") == std::string::npos);
  CHECK(text.find("started 1 of 2 on 1 node\n") != std::string::npos);
  CHECK(printed(print_failures, result) == "already_started: b: b lives\n");
}

TEST_CASE("a start of which nothing runs has no table") {
  auto result =
      Json::parse(R"({"children":[{"id":"b","instances":[],"code":"already_started","error":"x"}]})");
  CHECK(printed(print_started, result) == "started 0 of 1\n");
}

TEST_CASE("of a start that was rolled back the cause is told and the rest counted") {
  auto result = Json::parse(R"({"rolled_back":true,"children":[
      {"id":"a","instances":[],"code":"rolled_back","error":"undone"},
      {"id":"b","instances":[],"code":"start_failed","error":"it threw"},
      {"id":"c","instances":[],"code":"rolled_back","error":"undone"}]})");
  CHECK(printed(print_failures, result) ==
        "start_failed: b: it threw\nrolled_back: 2 starts of the same call undone\n");
}

TEST_CASE("a restart says for each child what became of it") {
  auto result =
      Json::parse(R"({"children":[{"id":"a","restarted":true},{"id":"b","restarted":true,"nodes":["n","m"]},
      {"id":"c","restarted":false,"code":"no_such_child","error":"there is no child 'c'"}]})");
  CHECK(printed(print_restarted, result) == "a: restarted\nb: restarted on n, m\n");
  CHECK(printed(print_failures, result) == "no_such_child: c: there is no child 'c'\n");
}

TEST_CASE("a status is a list of names and values with units, its counters in rows of their own") {
  auto status = Json::parse(R"({"digest":"0a","node":"a","uptime_ms":7384000,"incarnation":5,"locked":false,
      "stats":{"dead_letters":2,"loop_lag_max_us":15}})");
  CHECK(printed(print_status, status) ==
        "node         a\nuptime       2 h 3 min\nlocked       false\ndigest       0a\nincarnation  5\n"
        "\nSINCE ITS START\ndead_letters  2\nloop_lag_max  15 µs\n");
}

TEST_CASE("a child that failed shows why") {
  auto child = Json::parse(R"({"id":"c","type":"t","tag":"","instances":[],"failure":"it threw"})");
  CHECK(printed(print_child, child).find("\nFAILURE\nit threw\n") != std::string::npos);
}

TEST_CASE("an answer of another shape than expected is shown, not crashed on") {
  for (const auto& odd : {Json(), Json(1), Json("text"), Json::array({1, nullptr}),
                          Json::parse(R"({"children":7,"instances":{}})")}) {
    for (auto* print : {print_nodes, print_list, print_wide, print_child, print_fields, print_status,
                        print_started, print_stopped, print_restarted, print_failures, print_value}) {
      CHECK_NOTHROW(printed(print, odd));
    }
  }
}

}  // namespace tables_test
