// Client against real nodes: typed and raw requests, nodes that die while it works, keys, many at once.
#include <doctest/doctest.h>

#include <processhub/processhub.hpp>
#include <set>
#include <string>

#include "tests/live/support/process_cluster.hpp"
#include "tests/support/counter_messages.hpp"

namespace client_test {

using live::eventually;
using live::ProcessCluster;
using namespace processhub;
using namespace counter_messages;
using namespace std::chrono_literals;

namespace {

struct Sleep {
  std::int64_t ms = 0;
  PROCESSHUB_FIELDS(ms)
};
struct Where {
  PROCESSHUB_FIELDS()
};
struct Place {
  std::string node{};
  std::string generation{};
  std::string role{};
  PROCESSHUB_FIELDS(node, generation, role)
};

Client connect_to(const ProcessCluster& cluster) {
  ClientConfig config;
  for (const auto& name : cluster.names()) config.nodes.push_back(cluster.endpoint(name));
  auto client = Client::connect(config);
  REQUIRE_MESSAGE(client.ok(), client.error().message);
  return std::move(*client);
}

void start_counters(Client& client, int count) {
  std::vector<ChildSpec> specs;
  for (int i = 0; i < count; ++i) {
    ChildSpec spec;
    spec.id = "c" + std::to_string(i);
    spec.type = "counter";
    specs.push_back(std::move(spec));
  }
  auto started = client.start_children(std::move(specs)).get();
  REQUIRE_MESSAGE(started.ok(), started.error().message);
  REQUIRE(started->status == CallStatus::ok);
}

}  // namespace

TEST_CASE("client: starts, looks up, calls, casts, moves and stops children as a hub does") {
  ProcessCluster cluster;
  cluster.start({"a", "b", "c"});
  auto client = connect_to(cluster);
  ChildSpec spec;
  spec.id = "x";
  spec.type = "counter";
  spec.args = CounterArgs{5};
  spec.metadata = {{"k", "v"}};
  auto started = client.start_child(spec).get();
  REQUIRE(started.ok());
  REQUIRE(started->first() != nullptr);
  CHECK(started->first()->instances.size() == 1);
  CHECK(client.start_child(spec).get()->first()->error->code == ErrorCode::already_started);

  REQUIRE(client.cast("x", Add{2}).ok());
  auto total = client.call<Total>("x", Add{3}).get();
  REQUIRE_MESSAGE(total.ok(), total.error().message);
  CHECK(total->total == 10);
  CHECK(client.call_raw("x", "get", encode(Get{}), 5s, true).get().ok());

  auto child = client.lookup("x").get();
  REQUIRE_MESSAGE(child.ok(), child.error().message);
  CHECK(child->spec.metadata == Metadata{{"k", "v"}});
  REQUIRE(child->active() != nullptr);
  const auto place = client.call<Place>("x", Where{}).get();
  REQUIRE(place.ok());
  CHECK(child->active()->ref.node.name() == place->node);
  CHECK(child->active()->generation.str() == place->generation);

  const auto nodes = client.nodes().get();
  REQUIRE(nodes.ok());
  CHECK(nodes->size() == 3);
  CHECK(client.list().get()->size() == 1);
  CHECK(client.update_metadata("x", {{"n", "1"}}).get().ok());
  CHECK(client.lookup("x").get()->spec.metadata == Metadata{{"n", "1"}});

  const std::string elsewhere = place->node == "a" ? "b" : "a";
  CHECK(client.migrate("x", elsewhere).get().ok());
  CHECK(client.call<Place>("x", Where{}).get()->node == elsewhere);
  CHECK(client.stop_child("x").get()->status == CallStatus::ok);
}

TEST_CASE("client: every error says what became of the message") {
  ProcessCluster cluster;
  cluster.start("a");
  auto client = connect_to(cluster);
  start_counters(client, 1);
  const auto code = [](const auto& answer) { return answer.ok() ? ErrorCode{} : answer.error().code; };
  CHECK(code(client.call<Total>("nobody", Get{}).get()) == ErrorCode::no_such_child);
  CHECK(code(client.lookup("nobody").get()) == ErrorCode::no_such_child);
  CHECK(code(client.call<Total>("c0", Crash{}).get()) == ErrorCode::worker_crashed);
  CHECK(code(client.call_raw("c0", "nonsense", {}).get()) == ErrorCode::no_such_message);
  CHECK(code(client.call<Total>("c0", Sleep{300}, 30ms).get()) == ErrorCode::timeout);
  CHECK(code(client.ask("nonsense", {}).get()) == ErrorCode::invalid);
  CHECK(delivered(ErrorCode::no_such_child) == Delivered::no);
  CHECK(delivered(ErrorCode::worker_crashed) == Delivered::yes);
  CHECK(delivered(ErrorCode::timeout) == Delivered::unknown);

  auto in_flight = client.call<Total>("c0", Sleep{10'000}, 20s);
  REQUIRE(eventually([&] { return client.call<Total>("nobody", Get{}).get().error().code != ErrorCode{}; }));
  cluster.kill("a");
  CHECK(code(in_flight.get()) == ErrorCode::node_down);
  const auto unsent = client.call<Total>("c0", Get{}, 300ms).get();
  CHECK(code(unsent) == ErrorCode::refused);
  client.close();
  CHECK(code(client.call<Total>("c0", Get{}).get()) == ErrorCode::stopped);
}

TEST_CASE("client: wrong addresses and nobody there are errors of connect") {
  CHECK(Client::connect({}).error().code == ErrorCode::invalid);
  ClientConfig wrong;
  wrong.nodes = {"127.0.0.1"};
  CHECK(Client::connect(wrong).error().code == ErrorCode::invalid);
  ClientConfig nobody;
  nobody.nodes = {"tcp://127.0.0.1:1"};
  nobody.connect_timeout = 300ms;
  CHECK(Client::connect(nobody).error().code == ErrorCode::node_down);
}

TEST_CASE("client: goes on with another node when the one it talks to is killed") {
  ProcessCluster cluster;
  cluster.start({"a", "b", "c"});
  auto client = connect_to(cluster);
  start_counters(client, 30);
  REQUIRE(eventually([&] { return cluster.each_runs_once(30); }));
  const std::string first(client.node().name());
  cluster.kill(first);
  const auto all_answer = [&] {
    for (int i = 0; i < 30; ++i)
      if (!client.call<Total>("c" + std::to_string(i), Get{}, 1s).get()) return false;
    return true;
  };
  CHECK(eventually(all_answer));
  CHECK(std::string(client.node().name()) != first);
}

TEST_CASE("client: calls that may be repeated all have an answer, though nodes are killed under them") {
  ProcessCluster cluster;
  cluster.start({"a", "b", "c", "d"});
  auto client = connect_to(cluster);
  constexpr int kChildren = 20;
  start_counters(client, kChildren);
  const CallOptions often{30s, {}, true};
  for (const std::string victim : {"b", "c"}) {
    std::vector<Future<Total>> open;
    const auto call_all = [&] {
      for (int i = 0; i < 200; ++i)
        open.push_back(client.call<Total>("c" + std::to_string(i % kChildren), Get{}, often));
    };
    call_all();
    cluster.kill(victim);
    call_all();
    for (auto& one : open) {
      const auto answer = one.get();
      CHECK_MESSAGE(answer.ok(), answer.error().message);
    }
  }
  const auto nobody = client.call<Total>("nobody", Get{}, often).get();
  REQUIRE_FALSE(nobody.ok());
  CHECK(nobody.error().code == ErrorCode::no_such_child);
}

TEST_CASE("client: messages to one child keep their order, and thousands of calls find their answers") {
  ProcessCluster cluster;
  cluster.start({"a", "b", "c"});
  auto client = connect_to(cluster);
  constexpr int kChildren = 20;
  constexpr int kRounds = 100;
  start_counters(client, kChildren);
  std::vector<std::vector<Future<Total>>> answers(kChildren);
  for (int round = 1; round <= kRounds; ++round) {
    for (int i = 0; i < kChildren; ++i) {
      const auto id = "c" + std::to_string(i);
      REQUIRE(client.cast(id, Add{1'000}).ok());
      answers[static_cast<std::size_t>(i)].push_back(client.call<Total>(id, Add{1}, 20s));
    }
  }
  for (const auto& of_child : answers) {
    for (int round = 1; round <= kRounds; ++round) {
      const auto total = of_child[static_cast<std::size_t>(round - 1)].get();
      REQUIRE_MESSAGE(total.ok(), total.error().message);
      REQUIRE(total->total == round * 1'001);
    }
  }
}

}  // namespace client_test
