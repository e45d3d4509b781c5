// What zmq-monitor makes of looks at a cluster; the looks are made up here.
#include "tools/zmq-monitor/views.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "tools/zmq-monitor/doctor.hpp"
#include "tools/zmq-monitor/tables.hpp"

namespace views_test {

using namespace processhub;
using namespace processhub::monitor;

namespace {

Json series(double value, Json labels = Json::object()) {
  return {{"kind", "gauge"}, {"series", {{{"labels", std::move(labels)}, {"value", value}}}}};
}

/// A node that sees the others in the given states.
NodeLook node(const std::string& name, const std::vector<std::pair<std::string, std::string>>& sees) {
  NodeLook look;
  look.name = name;
  look.endpoint = "tcp://" + name;
  look.incarnation = 1;
  look.state = "up";
  look.clock_us = 1'000'000'000;
  Json peers = Json::array();
  for (const auto& [peer, state] : sees) peers.push_back({{"name", peer}, {"state", state}});
  Json status{{"node", name},       {"joined", true},       {"digest", "aa"},          {"children_local", 3},
              {"version", "0.1.0"}, {"partitioned", false}, {"time_us", 1'000'000'000}};
  Json inside{{"agreed", true},          {"settled", true},        {"peers", peers},
              {"locks", Json::array()},  {"links", Json::array()}, {"moves", Json::array()},
              {"waiting", Json::array()}};
  Json metrics{{"fullest_mailbox", "c"},
               {"metrics",
                {{"processhub_mailbox_limit", series(100)},
                 {"processhub_mailbox_largest", series(1)},
                 {"processhub_drops_total", series(0, {{"reason", "mailbox_full"}})},
                 {"processhub_handled_total", series(10)}}}};
  look.answers = {std::move(status), std::move(inside), std::move(metrics)};
  return look;
}

ClusterLook two() { return {{node("a", {{"b", "up"}}), node("b", {{"a", "up"}})}, {}}; }

std::vector<std::string> checks(const Examination& of) {
  std::vector<std::string> out;
  for (const auto& finding : examine(of)) out.push_back(finding.check);
  return out;
}

using Names = std::vector<std::string>;

Examination well() { return {two(), two(), 1, {}, 1'000'000'000}; }

}  // namespace

TEST_CASE("monitor: a cluster in order has nothing to tell") {
  CHECK(checks(well()).empty());
  CHECK(worst({}) == Severity::ok);
  CHECK(membership_view(two()).at("differences").empty());
}

TEST_CASE("monitor: a link that is blocked one way is told as such, another disagreement is not") {
  auto look = two();
  look.nodes[0].answers[kInspect]["peers"][0]["state"] = "down";
  const auto view = membership_view(look);
  REQUIRE(view.at("differences").size() == 1);
  CHECK(view.at("differences")[0] == "a sees b as down, but b sees a: the way from b to a is blocked");
  auto of = well();
  of.now = look;
  CHECK(checks(of) == Names{"one_way"});
  of.now.nodes[1].answers[kInspect]["peers"][0]["state"] = "down";
  CHECK(checks(of) == Names{"views_differ", "views_differ"});
}

TEST_CASE("monitor: an earlier life that is down does not hide the present one") {
  auto look = two();
  look.nodes[0].answers[kInspect]["peers"] = {{{"name", "b"}, {"state", "up"}},
                                              {{"name", "b"}, {"state", "left"}}};
  CHECK(membership_view(look).at("differences").empty());
}

TEST_CASE("monitor: doctor names a silent node, a dead one, locks, floods, stuck workers and other options") {
  auto of = well();
  of.now.nodes[1].error = "no answer in time";
  CHECK(checks(of) == Names{"silent_node"});
  of.now.nodes[1].state = "down";
  CHECK(checks(of) == Names{"node_down"});

  of = well();
  of.now.nodes[0].answers[kInspect]["locks"] = {
      {{"holder", "user"}, {"reason", "backup"}, {"level", 10}, {"age_ms", 20'000}, {"token", 7}}};
  const auto locked = examine(of);
  REQUIRE(locked.size() == 1);
  CHECK(locked[0].text.find("backup") != std::string::npos);
  CHECK(locked[0].advice.find("unlock 7") != std::string::npos);

  of = well();
  of.now.nodes[0].answers[kMetrics]["metrics"]["processhub_mailbox_largest"] = series(90);
  of.now.nodes[0].answers[kMetrics]["metrics"]["processhub_drops_total"] =
      series(5, {{"reason", "mailbox_full"}});
  CHECK(checks(of) == Names{"mailbox_flood", "mailbox_full"});
  CHECK(examine(of)[0].text.find("'c'") != std::string::npos);

  of = well();
  of.journals = {{"a",
                  {{"events",
                    {{{"time_us", 999'000'000},
                      {"part", "workers"},
                      {"text", "child 'c' has been in one handler for over 1000 ms"}}}}}}};
  CHECK(checks(of) == Names{"stuck_worker"});
  auto& said = of.journals[0].second["events"];
  said.push_back(
      {{"time_us", 999'500'000}, {"part", "children"}, {"text", "restarted"}, {"children", {"d"}}});
  CHECK(checks(of) == Names{"stuck_worker"});
  said[1]["children"] = Json::array({"c"});
  CHECK(checks(of).empty());
  said.erase(1);
  of.now_us += 3'600'000'000;  // an hour later
  CHECK(checks(of).empty());

  of = well();
  of.now.nodes[0].answers[kInspect]["options"] = "distribution=rendezvous\nmigration=hot_swap";
  auto other = node("x", {});
  other.answers[kInspect]["options"] = "distribution=rendezvous\nmigration=cold_swap";
  of.now.others = {other};
  const auto differs = examine(of);
  REQUIRE(differs.size() == 1);
  CHECK(differs[0].check == "config_differs");
  CHECK(differs[0].text.find("migration=cold_swap") != std::string::npos);
}

TEST_CASE("monitor: links show what ZeroMQ says of each connection, and doctor what went wrong lately") {
  auto look = two();
  auto& inside = look.nodes[0].answers[kInspect];
  inside["peers"][0].update({{"incarnation", 1}, {"publisher", "tcp://b:2"}});
  inside["links"] = {{{"peer", "b"},
                      {"incarnation", 1},
                      {"endpoint", "tcp://b:1"},
                      {"link", 4},
                      {"session", true},
                      {"queued_control", 7},
                      {"sent_control", 30},
                      {"sent_data", 2},
                      {"received_control", 28},
                      {"received_data", 0}}};
  const Json incoming{{"kind", "incoming"}, {"endpoint", "tcp://a:1"}, {"up", true},
                      {"failed", 2},        {"problem_ms", 3'000},     {"problem", "key refused"}};
  Json subscriber{{"kind", "subscriber"}, {"endpoint", "tcp://z:9"}, {"unread", 5'000}, {"confirmed", 80}};
  inside["sockets"] = {
      {{"kind", "link"}, {"link", 4}, {"up", true}, {"connected", 2}, {"retried", 3}, {"lost", 1}},
      {{"kind", "subscription"},
       {"endpoint", "tcp://b:2"},
       {"up", false},
       {"connected", 0},
       {"failed", 1},
       {"problem", "protocol error"},
       {"problem_ms", 70}},
      incoming,
      subscriber};
  std::ostringstream text;
  print_links(text, links_view(look));
  print_sockets(text, sockets_view(look));
  for (const std::string part :
       {"30+2", "28+0",
        "up, connected 2, retried 3, lost 1; hears: down, connected 0, failed 1 (protocol error 70 ms ago)",
        "! at a, tcp://a:1: 2 handshakes failed, the last one 3000 ms ago: key refused",
        "! subscriber tcp://z:9 of a: 5000 bytes on their way to it"})
    CHECK_MESSAGE(text.str().find(part) != std::string::npos, text.str());

  auto of = well();
  of.before = of.now = look;
  CHECK(checks(of) == Names{"wrong_key", "stalled_subscriber", "handshake_failed"});
  auto& later = of.now.nodes[0].answers[kInspect]["sockets"];
  later[3]["confirmed"] = 81;       // it reads, if slowly
  later[2]["problem_ms"] = 61'000;  // long ago
  later[1]["up"] = true;            // by now it got through
  CHECK(checks(of).empty());
}

TEST_CASE("monitor: an explanation has the score of each node, and why it cannot be one of them") {
  const Json says{{"known", true},
                  {"origin", "a"},
                  {"owners", {"a"}},
                  {"distribution", "rendezvous"},
                  {"candidates",
                   {{{"node", "a"}, {"score", 3.14159}, {"why", "weight 1"}, {"unable", ""}},
                    {{"node", "b"}, {"why", ""}, {"unable", "lacks the role 'edge'"}}}}};
  std::ostringstream text;
  print_explanation(text, explain_view("c", {{"a", says}}));
  CHECK_MESSAGE(text.str().find("a          3.142  weight 1") != std::string::npos, text.str());
  CHECK_MESSAGE(text.str().find("cannot: lacks the role 'edge'") != std::string::npos, text.str());
}

TEST_CASE("monitor: registry-diff tells which node says what") {
  const Json here = {
      {{"id", "c"}, {"instances", {{{"node", "a"}, {"state", "running"}, {"generation", "1.0@a"}}}}}};
  const auto diff = registry_diff(two(), {{"a", here}, {"b", Json::array()}});
  REQUIRE(diff.at("differing").size() == 1);
  CHECK(diff.at("differing")[0].at("says").at("b") == "unknown here");
  CHECK(registry_diff(two(), {{"a", here}, {"b", here}}).at("differing").empty());
}

TEST_CASE("monitor: a timeline is in order of time and only about its subject") {
  const Json a = {{"events",
                   {{{"time_us", 30}, {"text", "moved here"}, {"children", {"c"}}},
                    {{"time_us", 10}, {"text", "node b/7 is down"}, {"children", Json::array()}}}}};
  const Json b = {{"events", {{{"time_us", 20}, {"text", "crashed"}, {"children", {"c", "d"}}}}}};
  const auto all = timeline_view("", {{"a", a}, {"b", b}});
  REQUIRE(all.size() == 3);
  CHECK(all[0].at("time_us") == 10);
  CHECK(all[1].at("node") == "b");
  CHECK(timeline_view("c", {{"a", a}, {"b", b}}).size() == 2);
  CHECK(timeline_view("b", {{"a", a}, {"b", b}}).size() == 1);
  CHECK(timeline_view("x", {{"a", a}, {"b", b}}).empty());
}

TEST_CASE("monitor: top shows rates and nodes that do not answer") {
  auto now = two();
  now.nodes[0].answers[kMetrics]["metrics"]["processhub_handled_total"] = series(30);
  now.nodes[1].error = "no answer in time";
  const auto rows = top_view(two(), now, 2);
  CHECK(rows[0].at("handled_per_s") == 10);
  CHECK(rows[1].at("error") == "no answer in time");
  std::ostringstream text;
  print_top(text, rows);
  CHECK(text.str().find("no answer in time") != std::string::npos);
}

TEST_CASE("monitor: a check for Nagios is one line with the worst first") {
  auto of = well();
  of.now.nodes[0].answers[kInspect]["frozen"] = true;
  of.now.nodes[1].error = "no answer in time";
  const auto findings = examine(of);
  CHECK(worst(findings) == Severity::critical);
  std::ostringstream text;
  print_nagios(text, findings);
  CHECK(text.str().rfind("PROCESSHUB CRITICAL - b: ", 0) == 0);
  CHECK(text.str().find('\n') == text.str().size() - 1);
}

}  // namespace views_test
