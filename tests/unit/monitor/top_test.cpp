// The live view without a terminal: pictures and keys go in, lines of text come out.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tools/zmq-monitor/top_rows.hpp"
#include "tools/zmq-monitor/top_screen.hpp"

namespace top_test {

using namespace processhub;
using namespace processhub::monitor;

namespace {

using Names = std::vector<std::string>;

Json node(const std::string& name, double mailbox, double in) {
  return {{"node", name},      {"state", "up"},        {"incarnation", 7},    {"endpoint", "tcp://" + name},
          {"children", 2},     {"mailbox", mailbox},   {"in_per_s", in},      {"out_per_s", 0},
          {"uptime_ms", 4000}, {"round_trip_ms", 0.5}, {"lag_max_ms", 12345}, {"locked_by", ""}};
}

Json child(const std::string& id, const std::string& on) {
  return {{"id", id},
          {"type", "counter"},
          {"tag", ""},
          {"instances",
           {{{"node", on}, {"ref", "r"}, {"role", "active"}, {"state", "running"}, {"generation", "1.0"}}}}};
}

Picture three_nodes() {
  Picture out;
  out.hub = "shop";
  out.via = "a";
  out.nodes = {node("a", 5, 100), node("b", 70, 20), node("c", 0, 3)};
  return out;
}

struct Top {
  TopModel model{};
  Top() { model.take(three_nodes()); }
  void keys(const std::string& letters) {
    for (const char c : letters) model.press({Key::character, c});
  }
  void command(const std::string& text) {
    keys(":" + text);
    model.press({Key::enter});
  }
  Names names() const {
    Names out;
    for (const auto& row : model.rows()) out.push_back(row.cells.front().text);
    return out;
  }
  std::string selected() const {
    const auto rows = model.rows();
    return rows.at(model.cursor(rows)).cells.front().text;
  }
  std::string screen(std::size_t width = 80, std::size_t height = 24) {
    std::string out;
    const auto lines = draw(model, width, height);
    REQUIRE(lines.size() == height);
    for (const auto& line : lines) {
      CHECK(line.text.size() <= width);
      out += line.text + "\n";
    }
    return out;
  }
  bool shows(const std::string& text) { return screen().find(text) != std::string::npos; }
};

}  // namespace

TEST_CASE("top: nodes are sorted by any column, and once more the other way round") {
  Top top;
  CHECK(top.names() == Names{"a", "b", "c"});
  top.keys("M");
  CHECK(top.names() == Names{"b", "a", "c"});
  top.keys("M");
  CHECK(top.names() == Names{"c", "a", "b"});
  top.keys("I");
  CHECK(top.names() == Names{"a", "b", "c"});
  top.keys("<<<<<<");  // back to the states, which are alike: the order stays
  CHECK(top.names() == Names{"a", "b", "c"});
  top.keys("N");
  CHECK(top.names() == Names{"a", "b", "c"});
  top.keys("N");
  CHECK(top.names() == Names{"c", "b", "a"});
}

TEST_CASE("top: the cursor stays on its row when others come, go or change places") {
  Top top;
  top.keys("j");
  CHECK(top.selected() == "b");
  top.keys("M");  // b is first now
  CHECK(top.selected() == "b");
  auto without = three_nodes();
  without.nodes[1]["state"] = "down";
  without.nodes[1]["error"] = "is down";
  without.nodes.push_back(node("ab", 6, 1));
  top.model.take(without);
  CHECK(top.selected() == "b");
  top.keys("gk");
  CHECK(top.selected() == "ab");
  top.keys("Gj");
  CHECK(top.selected() == "b");  // nothing is known of it: last
}

TEST_CASE("top: a filter works while it is typed, escape undoes it, an exclamation mark turns it round") {
  Top top;
  top.keys("/B");
  CHECK(top.names() == Names{"b"});
  CHECK(top.shows("/B"));
  top.model.press({Key::backspace});
  CHECK(top.names().size() == 3);
  top.keys("c");
  top.model.press({Key::enter});
  top.keys("jjj");  // keys again, no text
  CHECK(top.names() == Names{"c"});
  top.model.press({Key::escape});
  CHECK(top.names().size() == 3);
  top.keys("/!b");
  CHECK(top.names() == Names{"a", "c"});
  top.model.press({Key::escape});
  CHECK(top.names().size() == 3);
}

TEST_CASE("top: enter leads to the children of a node and on to why one is there, escape and q back") {
  Top top;
  top.keys("j");
  top.model.press({Key::enter});
  CHECK(top.model.wish() == Wish{Sight::children, "b"});
  CHECK(top.shows("asking"));
  top.model.take(three_nodes());  // of the page before: not for this one
  CHECK(top.shows("asking"));
  auto picture = three_nodes();
  picture.of = top.model.wish();
  picture.children = {child("x-1", "b"), child("x-0", "b"), child("y", "a")};
  top.model.take(picture);
  CHECK(top.names() == Names{"x-0", "x-1"});  // y is elsewhere
  top.keys("j");
  top.model.press({Key::enter});
  CHECK(top.model.wish() == Wish{Sight::child, "x-1"});
  picture.of = top.model.wish();
  picture.text = {"x-1 was started through a", "  belongs to b"};
  top.model.take(picture);
  CHECK(top.shows("  belongs to b"));
  CHECK(top.shows("nodes > children of b > explain x-1"));
  top.model.press({Key::escape});
  CHECK(top.selected() == "x-1");
  top.keys("q");
  CHECK(top.selected() == "b");
  CHECK_FALSE(top.model.ended());
  top.keys("q");
  CHECK(top.model.ended());
}

TEST_CASE("top: commands lead to every page, a wrong one is told") {
  Top top;
  const std::vector<std::pair<std::string, Wish>> all = {
      {"children", {Sight::children, ""}}, {"children b", {Sight::children, "b"}},
      {"explain x", {Sight::child, "x"}},  {"views", {Sight::views, ""}},
      {"locks", {Sight::locks, ""}},       {"links now", {Sight::links, ""}},
      {"doctor", {Sight::doctor, ""}},     {"events x", {Sight::events, "x"}},
      {"nodes", {Sight::nodes, ""}}};
  for (const auto& [text, wish] : all) {
    top.command(text);
    CHECK_MESSAGE(top.model.wish() == wish, text);
  }
  top.command("viws");
  CHECK(top.shows("no such command: viws"));
  top.command("explain");
  CHECK(top.shows("explain needs the id of a child"));
  CHECK(top.model.wish() == Wish{});
  top.keys(":vie");
  top.model.press({Key::escape});
  CHECK(top.model.wish() == Wish{});
  top.keys("?");
  CHECK(top.shows("longest wait of the node's loop"));
  top.keys("j");
  CHECK_FALSE(top.shows("longest wait of the node's loop"));
  top.command("q");
  CHECK(top.model.ended());
}

TEST_CASE("top: nodes that do not answer, or that nobody tells of any more, stay to be seen") {
  Top top;
  auto picture = three_nodes();
  picture.nodes = {node("a", 1, 1), node("b", 1, 1)};
  picture.nodes[1]["error"] = "connected, but it does not answer";
  auto earlier = node("a", 1, 1);  // a had a life before
  earlier["incarnation"] = 3;
  earlier["state"] = "down";
  earlier["error"] = "is down";
  picture.nodes.push_back(earlier);
  top.model.take(picture);
  CHECK(top.names() == Names{"a", "b", "c"});
  CHECK(top.shows(" b     silent"));
  CHECK(top.shows(" c     down"));
  CHECK(top.shows("1 of 3 nodes answer"));
  top.keys("j");
  CHECK(top.shows("connected, but it does not answer"));
  Picture nobody;
  nobody.error = "all refuse";
  top.model.take(nobody);
  CHECK(top.names() == Names{"a", "b", "c"});
  CHECK(top.shows("nobody answers: all refuse"));
  CHECK(top.shows(" a     lost"));
  top.model.take(three_nodes());
  CHECK_FALSE(top.shows("lost"));
}

TEST_CASE("top: all columns fit into 80 characters, wider screens show more, small ones break nothing") {
  Top top;
  auto picture = three_nodes();
  for (int i = 0; i < 100; ++i)
    picture.nodes.push_back(node("node-in-room-17-" + std::to_string(i), 12e6, 99'999));
  picture.nodes[0]["drops"] = 1e9;
  picture.nodes[1]["locked_by"] = "user,redistribution";
  picture.nodes[2]["node"] = "\x1b[2Jc\n";
  top.model.take(picture);
  for (const auto* title :
       {"NODE", "STATE", "UP", "LOCK", "CHILD", "LAGms", "MBOX", "IN/s", "OUT/s", "DROP", "GAP", "RTTms"})
    CHECK_MESSAGE(top.shows(title), title);
  CHECK(top.shows("12k"));
  CHECK(top.shows("incarnation 7"));  // of the selected one
  CHECK_FALSE(top.shows("INCARNATION"));
  CHECK(top.screen(140, 24).find("INCARNATION") != std::string::npos);
  CHECK(top.screen(140, 24).find('\x1b') == std::string::npos);
  for (const std::size_t width : {1, 2, 10, 40, 79})
    for (const std::size_t height : {1, 2, 3, 6, 200}) top.screen(width, height);
  top.screen();
  top.model.press({Key::end});
  CHECK(top.shows(">node-in-r"));
  top.model.press({Key::page_up});
  CHECK(top.model.cursor(top.model.rows()) == 103 - 18);
  CHECK(top.shows(">node-in-r"));
}

TEST_CASE("top: a long text scrolls no further than its end") {
  Top top;
  top.command("events");
  Picture picture = three_nodes();
  picture.of = top.model.wish();
  for (int i = 0; i < 50; ++i) picture.text.push_back("event " + std::to_string(i) + ".");
  top.model.take(picture);
  CHECK(top.shows("event 0."));
  CHECK_FALSE(top.shows("event 19."));
  top.keys("Gjj");
  CHECK(top.shows("event 49."));
  CHECK(top.shows("line 32 of 50"));
  top.keys("k");
  CHECK_FALSE(top.shows("event 49."));
  top.keys("/9.");
  CHECK(top.shows("event 39."));
  CHECK_FALSE(top.shows("event 38."));
}

TEST_CASE("top: a line that is too wide is folded and not cut") {
  Top top;
  top.command("doctor");
  Picture picture = three_nodes();
  picture.of = top.model.wish();
  const std::string word(30, 'w');
  picture.text = {"critical " + word + " " + word + " " + word + " end", std::string(200, 'x')};
  top.model.take(picture);
  CHECK(top.shows(" critical " + word + " " + word + "\n       " + word + " end\n"));
  const auto screen = top.screen();
  CHECK(std::count(screen.begin(), screen.end(), 'x') >= 200);
}

TEST_CASE("top: numbers and times are short") {
  const std::vector<std::pair<double, std::string>> numbers = {
      {0, "0"},       {0.52, "0.5"},    {9, "9"},          {42.4, "42"},  {999, "999"},
      {1000, "1.0k"}, {99'999, "100k"}, {999'600, "1.0M"}, {12e6, "12M"}, {3e9, "3.0G"}};
  for (const auto& [value, text] : numbers) CHECK(short_number(value) == text);
  CHECK(short_time(4'999) == "4s");
  CHECK(short_time(3'599'000) == "59m");
  CHECK(short_time(7'200'000) == "2h");
  CHECK(short_time(400'000'000) == "4d");
}

}  // namespace top_test
