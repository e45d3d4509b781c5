// tools/python against real nodes, beside a C++ client, and while a node dies.
#include <doctest/doctest.h>

#include <cstdlib>
#include <deque>
#include <processhub/processhub.hpp>
#include <string>
#include <vector>

#include "tests/live/support/process_cluster.hpp"
#include "tests/support/counter_messages.hpp"

namespace python_client_test {

using live::ProcessCluster;
using namespace processhub;
using namespace counter_messages;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kChildren = 10;
constexpr std::size_t kAtOnce = 64;

/// Of the Python client, in the test of both; the C++ client makes four times as many.
int calls_of_python() {
  const char* given = std::getenv("PH_CLIENT_CALLS");
  return given == nullptr ? 1'000 : std::atoi(given);
}

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
  const auto line = python.read_line(live::patience(60s + 20ms * calls_of_python()));
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
  const auto text = python.read_rest(live::patience(60s + 20ms * calls_of_python()));
  CHECK(python.wait_exit(live::patience(20s)) == 0);
  const auto said = live::Json::parse(text, nullptr, false);
  REQUIRE_MESSAGE(said.is_object(), text);
  return said;
}

}  // namespace

TEST_CASE("python client: everything it can ask, and calls beside a C++ client, without an error") {
  ProcessCluster cluster;
  cluster.start({"a", "b", "c"});
  const int calls = calls_of_python();
  const auto began = live::Clock::now();
  auto python = run_python(cluster, calls);
  ClientConfig config;
  for (const auto& name : cluster.names()) config.nodes.push_back(cluster.endpoint(name));
  auto client = Client::connect(config);
  REQUIRE(client.ok());
  std::vector<ChildSpec> specs(kChildren);
  for (std::size_t i = 0; i < kChildren; ++i) {
    specs[i].id = "cpp-" + std::to_string(i);
    specs[i].type = "counter";
  }
  REQUIRE(client->start_children(specs).get().ok());
  std::deque<Future<Total>> open;
  std::int64_t sum = 0;
  for (int i = 0; i < 4 * calls || !open.empty(); ++i) {
    if (i < 4 * calls)
      open.push_back(client->call<Total>(specs[static_cast<std::size_t>(i) % kChildren].id, Add{1}));
    if (i < 4 * calls && open.size() < kAtOnce) continue;
    const auto total = open.front().get();
    REQUIRE_MESSAGE(total.ok(), total.error().message);
    open.pop_front();
  }
  for (const auto& spec : specs) sum += client->call<Total>(spec.id, Add{0}).get()->total;
  CHECK(sum == 4 * calls);
  if (half_way(python).is_null()) return;
  const auto result = result_of(python);
  CHECK(result.at("failed") == 0);
  CHECK(result.at("total") == calls);
  const auto took = std::chrono::duration_cast<live::Millis>(live::Clock::now() - began).count();
  MESSAGE((5 * calls), " calls in ", took, " ms");
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

}  // namespace python_client_test
