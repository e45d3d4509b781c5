// What a hubd process tells of itself: metrics over HTTP, and its log as JSON.
#include <doctest/doctest.h>

#include <sstream>

#include "tests/live/support/process_cluster.hpp"
#include "tests/live/support/scrape.hpp"

namespace metrics_test {

using live::Json;
using live::metrics_port;
using live::ProcessCluster;
using live::scrape;

TEST_CASE("metrics: hubd answers Prometheus with what its hub counts") {
  ProcessCluster cluster;
  cluster.start("a", {"--metrics", "127.0.0.1:0"});
  cluster.start("b");
  REQUIRE(live::eventually([&] { return cluster.all_see({"a", "b"}); }));
  REQUIRE(cluster.ask("a", {"start", "c", "--count", "20", "--type", "counter"}).exit == live::done);
  for (int i = 0; i < 20; ++i)
    REQUIRE(cluster.ask("a", {"call", "c-" + std::to_string(i), "get", "{}"}).exit == live::done);
  const auto port = metrics_port(cluster, "a");
  const auto labels = "{hub=\"" + cluster.hub_id() + "\",node=\"a\"";
  const auto has = [&](const std::string& text) { return scrape(port).find(text) != std::string::npos; };
  CHECK(live::eventually([&] { return has("processhub_members" + labels + ",state=\"up\"} 2"); }));
  CHECK(live::eventually([&] { return has("processhub_children" + labels + ",scope=\"total\"} 20"); }));
  CHECK(has("# TYPE processhub_call_seconds histogram"));
  CHECK(has("processhub_call_seconds_bucket" + labels + ",le=\"+Inf\"}"));
  CHECK(has("# TYPE processhub_drops_total counter"));
  CHECK(scrape(port).rfind("HTTP/1.1 200", 0) == 0);

  const auto taken = live::run_program({live::program_path("hubd"), "--listen", "tcp://127.0.0.1:0",
                                        "--metrics", "127.0.0.1:" + std::to_string(port)});
  CHECK(taken.exit == 1);
  CHECK(taken.err.find("metrics: cannot listen on") != std::string::npos);
  CHECK(live::run_program({live::program_path("hubd"), "--listen", "tcp://127.0.0.1:0", "--metrics", "9464"})
            .exit == 2);
}

TEST_CASE("logs: each line is a JSON object with hub, node and component, and levels are by component") {
  ProcessCluster cluster;
  cluster.start("a", {"--log-json", "--log_level", "warn,membership=info,clients=debug"});
  cluster.start("b");
  REQUIRE(live::eventually([&] {
    return cluster.log("a").find("is up") != std::string::npos && cluster.all_see({"a", "b"});
  }));
  CHECK(live::eventually([&] { return cluster.log("a").find("a client asks") != std::string::npos; }));
  std::istringstream lines(cluster.log("a").substr(0, cluster.log("a").rfind('\n')));
  std::size_t of_membership = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto json = Json::parse(line, nullptr, false);
    REQUIRE_MESSAGE(json.is_object(), line);
    CHECK(json.at("time").get<std::string>().back() == 'Z');
    CHECK(json.at("hub") == cluster.hub_id());
    CHECK(json.at("node") == "a");
    const auto part = json.at("part").get<std::string>();
    const auto level = json.at("level").get<std::string>();
    of_membership += part == "membership" ? 1 : 0;
    CHECK_MESSAGE((part == "membership" || part == "clients" || level == "warn" || level == "error"), line);
  }
  CHECK(of_membership > 0);
}

}  // namespace metrics_test
