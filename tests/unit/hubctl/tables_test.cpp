#include <doctest/doctest.h>

#include <sstream>

#include "tools/hubctl/tables.hpp"

using namespace processhub::hubctl;

namespace {

template <class Print>
std::string printed(Print print, const Json& value) {
  std::ostringstream out;
  print(out, value);
  return out.str();
}

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
  auto text = printed(print_children, children);
  CHECK(text.find("c   t     -    -") != std::string::npos);
}

TEST_CASE("every instance has a row") {
  auto children = Json::parse(R"([{"id":"c","type":"t","tag":"g","instances":[
      {"node":"a","ref":"a/1/1","role":"active","state":"running","generation":"1.0@a/1"},
      {"node":"b","ref":"b/1/7","role":"passive","state":"running","generation":"1.0@b/1"}]}])");
  auto text = printed(print_children, children);
  CHECK(text.find("active") != std::string::npos);
  CHECK(text.find("passive") != std::string::npos);
}

TEST_CASE("a start is summed up with its failures") {
  auto result = Json::parse(R"({"status":"partial","rolled_back":false,"children":[
      {"id":"a","instances":[{"node":"n","state":"running","ref":"n/1/1"}]},
      {"id":"b","instances":[],"code":"already_started","error":"b lives"}]})");
  auto text = printed(print_started, result);
  CHECK(text.find("b: already_started: b lives") != std::string::npos);
  CHECK(text.find("started 1 of 2 on 1 nodes") != std::string::npos);
}

TEST_CASE("an answer of another shape than expected is shown, not crashed on") {
  for (const auto& odd : {Json(), Json(1), Json("text"), Json::array({1, nullptr}),
                          Json::parse(R"({"children":7,"instances":{}})")}) {
    for (auto* print : {print_nodes, print_children, print_child, print_fields, print_started, print_stopped,
                        print_value}) {
      CHECK_NOTHROW(printed(print, odd));
    }
  }
}
