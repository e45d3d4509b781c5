// Topics between real programs: hubs in this process, nodes beside it, clients in C++ and Python.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <processhub/processhub.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/live/support/process_cluster.hpp"

namespace topics_test {

using live::eventually;
using live::ProcessCluster;
using namespace processhub;
using namespace std::chrono_literals;

namespace {

struct Tick {
  std::int64_t n = 0;
  PROCESSHUB_FIELDS(n)
};

/// What came, in order; any thread.
class Heard {
 public:
  void add(const TopicMessage& m) {
    const auto tick = m.as<Tick>();
    std::lock_guard lock(mutex_);
    numbers_.push_back(tick ? tick->n : -1);
    missed_ += m.missed;
  }
  std::vector<std::int64_t> numbers() const {
    std::lock_guard lock(mutex_);
    return numbers_;
  }
  std::size_t size() const { return numbers().size(); }
  std::uint64_t missed() const {
    std::lock_guard lock(mutex_);
    return missed_;
  }

 private:
  mutable std::mutex mutex_{};
  std::vector<std::int64_t> numbers_{};
  std::uint64_t missed_ = 0;
};

Hub start_hub(const ProcessCluster& cluster, const std::string& name) {
  HubConfig config;
  config.hub_id = cluster.hub_id();
  config.name = name;
  config.listen = "tcp://127.0.0.1:0";
  for (const auto& node : cluster.names()) config.seeds.push_back(cluster.endpoint(node));
  auto hub = Hub::start(config, WorkerTypes{});
  REQUIRE_MESSAGE(hub.ok(), hub.error().message);
  REQUIRE(hub->wait_joined(live::patience(20s)));
  return std::move(*hub);
}

Client connect_to(const ProcessCluster& cluster, const std::string& node) {
  ClientConfig config;
  config.nodes = {cluster.endpoint(node)};
  auto client = Client::connect(config);
  REQUIRE_MESSAGE(client.ok(), client.error().message);
  return std::move(*client);
}

std::vector<std::int64_t> up_to(std::int64_t last) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = 1; i <= last; ++i) out.push_back(i);
  return out;
}

}  // namespace

TEST_CASE(
    "topics: programs and clients get what is published anywhere, reliable messages each and in order") {
  constexpr std::int64_t kMessages = 2'000;
  ProcessCluster cluster;
  cluster.start(std::vector<std::string>{"a", "b"});
  auto hub = start_hub(cluster, "here");
  auto publisher = connect_to(cluster, "a");
  auto subscriber = connect_to(cluster, "b");
  Heard in_hub;
  Heard in_client;
  Heard nothing;
  REQUIRE(hub.subscribe("ticks.*", [&](const TopicMessage& m) { in_hub.add(m); }).ok());
  const auto unwanted = hub.subscribe("ticks.>", [&](const TopicMessage& m) { nothing.add(m); });
  REQUIRE(unwanted.ok());
  hub.unsubscribe(*unwanted);
  const auto subscribed = subscriber.subscribe("ticks.>", [&](const TopicMessage& m) { in_client.add(m); });
  REQUIRE_MESSAGE(subscribed.ok(), subscribed.error().message);
  CHECK_FALSE(subscriber.subscribe("ticks..", [](const TopicMessage&) {}).ok());
  CHECK_FALSE(hub.publish("ticks.*", Tick{1}).ok());

  for (std::int64_t i = 1; i <= kMessages; ++i)
    REQUIRE(publisher.publish("ticks.fast", Tick{i}, {.reliable = true}).ok());
  CHECK(eventually([&] { return in_hub.size() == kMessages && in_client.size() == kMessages; }));
  CHECK(in_hub.numbers() == up_to(kMessages));
  CHECK(in_client.numbers() == up_to(kMessages));
  CHECK(in_hub.missed() + in_client.missed() == 0);

  // This hub's own subscriber has it without the network; the others count what they did not get.
  for (std::int64_t i = 1; i <= kMessages; ++i) REQUIRE(hub.publish("ticks.slow", Tick{i}).ok());
  CHECK(eventually([&] { return in_hub.size() == 2 * kMessages; }));
  CHECK(eventually([&] { return in_client.size() + in_client.missed() >= 2 * kMessages; }));
  CHECK(nothing.size() == 0);

  subscriber.unsubscribe(*subscribed);
  const auto before = in_client.size();
  REQUIRE(hub.publish("ticks.last", Tick{1}, {.reliable = true}).ok());
  CHECK(eventually([&] { return in_hub.size() == 2 * kMessages + 1; }));
  CHECK(in_client.size() == before);
}

TEST_CASE("topics: a client's subscription goes along when its node leaves, and when it is killed") {
  ProcessCluster cluster;
  cluster.start({"a", "b", "c"});
  auto publisher = connect_to(cluster, "c");
  ClientConfig config;
  for (const char* node : {"a", "b"}) config.nodes.push_back(cluster.endpoint(node));
  auto subscriber = Client::connect(config);
  REQUIRE(subscriber.ok());
  Heard heard;
  REQUIRE(subscriber->subscribe("ticks.>", [&](const TopicMessage& m) { heard.add(m); }).ok());
  std::int64_t n = 0;
  const auto arrives = [&] {
    return eventually([&] {
      const auto last = ++n;
      if (!publisher.publish("ticks.x", Tick{last}, {.reliable = true}).ok()) return false;
      const auto numbers = heard.numbers();
      return !numbers.empty() && numbers.back() + 20 > last;
    });
  };
  CHECK(arrives());
  const std::string first(subscriber->node().name());
  CHECK(cluster.terminate(first) == 0);
  CHECK(eventually([&] { return subscriber->node().name() != first && subscriber->node(); }));
  CHECK(arrives());
  const std::string second(subscriber->node().name());
  if (second != "c") {
    cluster.kill(second);
    CHECK(eventually([&] { return subscriber->node().name() != second && subscriber->node(); }));
    CHECK(arrives());
  }
  const auto numbers = heard.numbers();
  for (std::size_t i = 1; i < numbers.size(); ++i) CHECK(numbers[i] > numbers[i - 1]);
}

TEST_CASE("topics: a Python client publishes and subscribes") {
  ProcessCluster cluster;
  cluster.start(std::vector<std::string>{"a", "b"});
  auto hub = start_hub(cluster, "here");
  std::atomic<int> from_python{0};
  REQUIRE(hub.subscribe("py.*", [&](const TopicMessage& m) { from_python += m.as<Tick>() ? 1 : 0; }).ok());
  live::Program program;
  program.argv = {"/usr/bin/python3", "-B", PH_SOURCE_DIR "/tests/live/python_topics.py",
                  cluster.endpoint("a"), "50"};
  live::Process python(program);
  const auto ready = python.read_line(live::patience(20s));
  REQUIRE(ready.has_value());
  if (ready->rfind("skipped:", 0) == 0) {
    MESSAGE(*ready);
    return;
  }
  REQUIRE(*ready == "subscribed");
  for (std::int64_t i = 1; i <= 50; ++i) REQUIRE(hub.publish("cpp.x", Tick{i}, {.reliable = true}).ok());
  CHECK(python.read_line(live::patience(20s)) == "heard 50");
  CHECK(python.wait_exit(live::patience(20s)) == 0);
  CHECK(eventually([&] { return from_python == 50; }));
}

}  // namespace topics_test
