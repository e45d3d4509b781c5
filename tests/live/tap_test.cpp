// zmq-monitor tail --messages on real nodes: a traced call of a client, station by station; filters; drops
// that are told; and that nothing is recorded once the watcher is gone.
#include <doctest/doctest.h>

#include <csignal>
#include <processhub/processhub.hpp>
#include <set>

#include "tests/live/support/fault_checks.hpp"
#include "tests/support/counter_messages.hpp"

namespace tap_test {

using live::eventually;
using live::Json;
using live::Names;
using live::ProcessCluster;
using namespace counter_messages;
using namespace std::chrono_literals;

namespace {

live::Process watch(const ProcessCluster& cluster, Names more) {
  Names argv = {live::program_path("zmq-monitor"),
                cluster.endpoint("a"),
                "--json",
                "tail",
                "--messages",
                "--for",
                "60s"};
  argv.insert(argv.end(), more.begin(), more.end());
  return live::Process({argv, cluster.directory().path() / "tap.err"});
}

processhub::Client client_of(const ProcessCluster& cluster, const std::string& node) {
  processhub::ClientConfig config;
  config.nodes = {cluster.endpoint(node)};
  auto client = processhub::Client::connect(config);
  REQUIRE_MESSAGE(client.ok(), client.error().message);
  return std::move(*client);
}

std::string child_on(const ProcessCluster& cluster, const std::string& node) {
  for (const auto& child : cluster.query("a", {"list"}))
    if (child.at("instances")[0].at("node") == node) return child.at("id");
  FAIL("no child runs on " << node);
  return {};
}

}  // namespace

TEST_CASE("tap: a traced call is seen at every station, with the same trace, and is in the debug log") {
  ProcessCluster cluster;
  cluster.start("a");
  cluster.start("b", {"--log_level", "info,workers=debug"});
  REQUIRE(eventually([&] { return cluster.all_see({"a", "b"}); }));
  live::start_counters(cluster, "a", "x", 12);
  live::require_quiet(cluster, 12);
  const auto far = child_on(cluster, "b");
  const auto trace = processhub::Trace::start();
  const auto id = trace.str().substr(3, 32);
  auto client = client_of(cluster, "a");
  auto tail = watch(cluster, {"--child", far});
  std::set<std::string> stations;
  const std::set<std::string> wanted = {"a received", "a sent", "b received", "b handled"};
  // The tap opens with the first question: calls go on until all is seen.
  const auto deadline = live::Clock::now() + live::patience(30s);
  while (stations != wanted && live::Clock::now() < deadline) {
    REQUIRE(client.call<Total>(far, Add{1}, processhub::CallOptions{10s, trace}).get().ok());
    while (const auto line = tail.read_line(stations.empty() ? 200ms : 50ms)) {
      const auto seen = Json::parse(*line);
      CHECK(seen.at("child") == far);
      CHECK(seen.at("message") == "add");
      CHECK(seen.at("body") == Json::array({1}));
      if (seen.value("trace", "").find(id) == std::string::npos) continue;
      stations.insert(seen.at("node").get<std::string>() + " " + seen.at("hop").get<std::string>());
    }
  }
  // Once there is a way of its own, the client asks b itself.
  CHECK(stations.count("b received") == 1);
  CHECK(stations.count("b handled") == 1);
  CHECK(
      eventually([&] { return cluster.log("b").find("handles add, trace 00-" + id) != std::string::npos; }));
  tail.send_signal(SIGINT);
  CHECK(tail.wait_exit(live::patience(10s)) == 0);
}

TEST_CASE("tap: what does not fit is dropped and told, and filters choose what is shown") {
  ProcessCluster cluster;
  cluster.start(Names{"a", "b"});
  live::start_counters(cluster, "a", "x", 12);
  live::require_quiet(cluster, 12);
  const auto near = child_on(cluster, "a");
  auto client = client_of(cluster, "a");
  auto casts = watch(cluster, {"--node", "a", "--kind", "cast"});
  const auto told = [&] {
    for (int i = 0; i < 3'000; ++i) REQUIRE(client.cast(near, Add{1}).ok());
    REQUIRE(client.call<Total>(near, Get{}).get().ok());
    const auto line = casts.read_line(50ms);
    if (line) CHECK(Json::parse(*line).at("kind") == "cast");
    return live::run_program({"/bin/cat", (cluster.directory().path() / "tap.err").string()})
               .out.find("messages of a were dropped") != std::string::npos;
  };
  CHECK(eventually(told));
  casts.kill();  // it vanishes without a word
  auto hubs = watch(cluster, {"--kind", "hub"});
  const auto line = hubs.read_line(live::patience(20s));
  REQUIRE(line.has_value());
  CHECK_FALSE(Json::parse(*line).contains("child"));
  hubs.kill();

  const Names usage = {live::program_path("zmq-monitor"), cluster.endpoint("a"), "tail", "--kind", "call"};
  CHECK(live::run_program(usage).exit == 2);
}

}  // namespace tap_test
