// zmq-monitor on real nodes: what it shows of a cluster in order, and that it names faults that are planted.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <sstream>

#include "tests/live/support/fault_checks.hpp"
#include "tests/live/support/relay_lab.hpp"

namespace monitor_test {

using live::Answer;
using live::eventually;
using live::Json;
using live::Names;
using live::ProcessCluster;

namespace {

Answer monitor(const ProcessCluster& cluster, const std::string& node, Names arguments) {
  arguments.insert(arguments.begin(), {live::program_path("zmq-monitor"), cluster.endpoint(node), "--json"});
  return live::run_program(std::move(arguments));
}

Json view(const ProcessCluster& cluster, const std::string& node, Names arguments) {
  return monitor(cluster, node, std::move(arguments)).json();
}

}  // namespace

TEST_CASE("monitor: views of a cluster in order, all found from one address") {
  ProcessCluster cluster;
  cluster.start(Names{"a", "b", "c"});
  live::start_counters(cluster, "a", "x", 12);
  live::require_quiet(cluster, 12);
  const auto top = view(cluster, "b", {"top", "--once"});
  REQUIRE(top.size() == 3);
  std::size_t children = 0;
  for (const auto& row : top) children += row.at("children").get<std::size_t>();
  CHECK(children == 12);
  CHECK(top[0].at("in_per_s").get<double>() > 0);
  CHECK(view(cluster, "c", {"views"}).at("differences").empty());
  const auto links = view(cluster, "a", {"links"}).at("links");
  REQUIRE(links.size() == 6);
  for (const auto& link : links) {
    CHECK(link.at("socket").at("connected") == 1);
    CHECK(link.at("subscription").at("up") == true);
    CHECK(link.at("received_control").get<int>() > 0);
  }
  CHECK(view(cluster, "a", {"registry-diff"}).at("differing").empty());
  CHECK(view(cluster, "a", {"locks"}).size() == 3);
  CHECK(eventually([&] { return monitor(cluster, "a", {"doctor"}).exit == 0; }));
  CHECK(monitor(cluster, "a", {"check", "--nagios"}).out.rfind("PROCESSHUB OK", 0) == 0);
  const auto child = view(cluster, "a", {"explain", "x-0"});
  CHECK(child.at("origin") == "a");
  CHECK(child.at("owners_by_node").size() == 3);
  const auto& candidates = child.at("candidates");
  REQUIRE(candidates.size() == 3);
  CHECK(candidates[0].at("node") == child.at("instances")[0].at("node"));
  CHECK(candidates[0].at("score") > candidates[1].at("score"));
  CHECK(candidates[2].at("why") == "weight 1");
  CHECK(child.at("restarts").size() == 1);
  CHECK(child.at("instances").size() == 1);
  CHECK(monitor(cluster, "a", {"explain", "nobody"}).exit == 1);

  CHECK(live::run_program({live::program_path("zmq-monitor"), "tcp://127.0.0.1:1", "views"}).exit == 3);
  CHECK(live::run_program({live::program_path("zmq-monitor"), "vews"}).exit == 2);
  CHECK(
      live::run_program({live::program_path("zmq-monitor"), "tcp://127.0.0.1:1", "check", "--nagios"}).exit ==
      3);
}

TEST_CASE("monitor: a killed node's children and their takeover are in timeline, tail and explain") {
  ProcessCluster cluster;
  cluster.start(Names{"a", "b"});
  live::start_counters(cluster, "a", "x", 12);
  live::require_quiet(cluster, 12);
  std::string moved;
  std::string stays;
  for (const auto& child : cluster.query("a", {"list"}))
    (child.at("instances")[0].at("node") == "b" ? moved : stays) = child.at("id");
  REQUIRE_FALSE(moved.empty());
  REQUIRE_FALSE(stays.empty());
  live::Process tail(
      {{live::program_path("zmq-monitor"), cluster.endpoint("a"), "--json", "tail", "--for", "20s"},
       cluster.directory().path() / "tail.err"});
  const auto file = (cluster.directory().path() / "recording.jsonl").string();
  live::Process record(
      {{live::program_path("zmq-monitor"), cluster.endpoint("a"), "record", file, "--for", "20s"},
       cluster.directory().path() / "record.err"});
  const auto happened = [&](const Json& events, const std::string& text) {
    return std::any_of(events.begin(), events.end(), [&](const Json& e) {
      return e.at("node") == "a" && e.at("text").get<std::string>().find(text) != std::string::npos;
    });
  };
  CHECK(eventually([&] { return happened(view(cluster, "a", {"timeline", stays}), "started: "); }));
  // They follow from the first look on: something happens until it shows.
  std::size_t freezes = 0;
  cluster.kill("b");
  CHECK(eventually([&] { return cluster.each_runs_once(12); }));
  CHECK(eventually([&] { return happened(view(cluster, "a", {"timeline", moved}), "taken over"); }));
  CHECK(happened(view(cluster, "a", {"timeline", "b"}), "is down"));
  CHECK(eventually([&] {
    return happened(view(cluster, "a", {"explain", moved}).at("events"), "taken over");
  }));
  const auto replayed = [&] {  // without the cluster's address
    const auto shown = live::run_program({live::program_path("zmq-monitor"), "replay", file, "--node", "a"});
    return shown.exit == 0 && !shown.out.empty();
  };
  std::optional<std::string> line;
  CHECK(eventually([&] {  // each freeze and unfreeze is an event
    static_cast<void>(cluster.ask("a", {freezes++ % 2 == 0 ? "freeze" : "unfreeze", "--yes"}));
    if (!line) line = tail.read_line(live::Millis(1'000));
    return line && replayed();
  }));
  CHECK(Json::parse(line.value_or("{}")).value("node", "") == "a");
  CHECK(cluster.ask("a", {"stop", stays}).exit == 0);
  CHECK(eventually([&] { return happened(view(cluster, "a", {"timeline", stays}), "ended: "); }));
  tail.send_signal(SIGINT);
  CHECK(tail.wait_exit(live::patience(std::chrono::seconds(10))) == 0);
  record.send_signal(SIGINT);
  CHECK(record.wait_exit(live::patience(std::chrono::seconds(10))) == 0);
  const auto again = live::run_program({live::program_path("zmq-monitor"), "record", file, "--for", "1s"});
  CHECK(again.exit == 2);
  CHECK(again.err.find("is there already") != std::string::npos);
}

TEST_CASE("monitor: a link that is cut one way is named by views and doctor") {
  live::RelayLab lab;
  auto& cluster = lab.cluster();
  cluster.start(Names{"a", "b", "c"});
  REQUIRE(eventually([&] { return cluster.all_see({"a", "b", "c"}); }));
  // The relay lets in only nodes, so tools are told where each node is.
  const auto look = [&](const std::string& what) {
    const auto addresses = cluster.control("a") + "," + cluster.control("b") + "," + cluster.control("c");
    const Names argv = {live::program_path("zmq-monitor"), "--connect", addresses, "--json", what};
    return live::run_program(argv).json();
  };
  CHECK(look("views").at("differences").empty());
  lab.cut("c", "a");
  CHECK(eventually([&] {
    const auto found = look("doctor");
    return std::any_of(found.begin(), found.end(), [](const Json& one) {
      return one.at("check") == "one_way" && one.at("severity") == "critical";
    });
  }));
  lab.heal("c", "a");
  CHECK(eventually([&] { return look("views").at("differences").empty(); }));
}

}  // namespace monitor_test
