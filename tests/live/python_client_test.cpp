// tools/python against real nodes, beside a C++ client, and while a node dies.
#include <doctest/doctest.h>

#include <processhub/processhub.hpp>
#include <string>

#include "tests/live/support/process_cluster.hpp"

using live::ProcessCluster;
using namespace processhub;
using namespace std::chrono_literals;

namespace {

struct Add {
  std::int64_t by = 0;
  PROCESSHUB_FIELDS(by)
};
struct Total {
  std::int64_t total = 0;
  PROCESSHUB_FIELDS(total)
};

/// Debian's own: another python3 on the path need not have its packages.
live::Process run_python(const ProcessCluster& cluster, int calls) {
  live::Program program;
  program.argv = {"/usr/bin/python3", "-B", PH_SOURCE_DIR "/tests/live/python_client.py", "10",
                  std::to_string(calls)};
  for (const auto& name : cluster.names()) program.argv.push_back(cluster.endpoint(name));
  return live::Process(program);
}

/// What it says when half of its calls are made; null if it cannot run here.
live::Json half_way(live::Process& python) {
  const auto line = python.read_line(live::patience(60s));
  REQUIRE(line.has_value());
  if (line->rfind("skipped:", 0) == 0) {
    MESSAGE(*line);
    return {};
  }
  const auto said = live::Json::parse(*line, nullptr, false);
  REQUIRE_MESSAGE(said.is_object(), *line);
  return said;
}

live::Json result_of(live::Process& python) {
  const auto text = python.read_rest(live::patience(60s));
  CHECK(python.wait_exit(live::patience(20s)) == 0);
  const auto said = live::Json::parse(text, nullptr, false);
  REQUIRE_MESSAGE(said.is_object(), text);
  return said;
}

}  // namespace

TEST_CASE("python client: everything it can ask, and calls beside a C++ client, without an error") {
  ProcessCluster cluster;
  cluster.start({"a", "b", "c"});
  auto python = run_python(cluster, 1'000);
  if (half_way(python).is_null()) return;
  ClientConfig config;
  for (const auto& name : cluster.names()) config.nodes.push_back(cluster.endpoint(name));
  auto client = Client::connect(config);
  REQUIRE(client.ok());
  for (int i = 0; i < 1'000; ++i) {
    const auto total = client->call<Total>("py-" + std::to_string(i % 10), Add{0}).get();
    REQUIRE_MESSAGE(total.ok(), total.error().message);
  }
  const auto result = result_of(python);
  CHECK(result.at("failed") == 0);
  CHECK(result.at("total") == 1'000);
}

TEST_CASE("python client: goes on with another node when its own is killed") {
  ProcessCluster cluster;
  cluster.start({"a", "b", "c"});
  auto python = run_python(cluster, 2'000);
  const auto half = half_way(python);
  if (half.is_null()) return;
  for (const auto& name : cluster.names()) {
    if (cluster.endpoint(name) == half.at("half")) {
      cluster.kill(name);
      break;
    }
  }
  const auto result = result_of(python);
  CHECK(result.at("endpoint") != half.at("half"));
  for (const auto& [code, count] : result.at("codes").items()) {
    INFO(code, count.get<int>());
    CHECK((code == "node_down" || code == "unknown"));
  }
  CHECK(result.at("failed") < 20);
}
