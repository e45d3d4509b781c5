// Real nodes and children that keep their state when nodes come and go.
#include <doctest/doctest.h>

#include <algorithm>
#include <processhub/processhub.hpp>
#include <string>
#include <vector>

#include "tests/live/support/process_cluster.hpp"
#include "tests/support/counter_messages.hpp"

namespace cluster_hot_swap_test {

using live::eventually;
using live::ProcessCluster;
using namespace processhub;
using namespace counter_messages;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t kChildren = 1000;

std::string name_of(std::int64_t child) { return "c" + std::to_string(child); }

Client connect_to(const ProcessCluster& cluster, const std::vector<std::string>& nodes) {
  ClientConfig config;
  for (const auto& name : nodes) config.nodes.push_back(cluster.endpoint(name));
  auto client = Client::connect(config);
  REQUIRE_MESSAGE(client.ok(), client.error().message);
  return std::move(*client);
}

/// Every child is told to add what `amount` says; what each holds then.
template <class Amount>
std::vector<std::int64_t> add_to_all(Client& client, Amount amount) {
  std::vector<Future<Total>> open;
  for (std::int64_t i = 0; i < kChildren; ++i)
    open.push_back(client.call<Total>(name_of(i), Add{amount(i)}, 20s));
  std::vector<std::int64_t> totals;
  for (auto& call : open) {
    auto total = call.get();
    REQUIRE_MESSAGE(total.ok(), total.error().message);
    totals.push_back(total->total);
  }
  return totals;
}

template <class Expected>
void check_all(const std::vector<std::int64_t>& totals, Expected expected) {
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < kChildren; ++i)
    wrong += totals[static_cast<std::size_t>(i)] == expected(i) ? 0 : 1;
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE(
    "1,000 states are handed over to a node that joins and by one that leaves, and no call fails meanwhile") {
  ProcessCluster cluster;
  cluster.set_flags({"--migration", "hot_swap"}, {});
  cluster.start(std::vector<std::string>{"a", "b"});
  auto client = connect_to(cluster, {"a", "b"});
  std::vector<ChildSpec> specs(kChildren);
  for (std::int64_t i = 0; i < kChildren; ++i) {
    specs[static_cast<std::size_t>(i)].id = name_of(i);
    specs[static_cast<std::size_t>(i)].type = "counter";
  }
  const auto started = client.start_children(std::move(specs)).get();
  REQUIRE(started.ok());
  REQUIRE(started->status == CallStatus::ok);
  check_all(add_to_all(client, [](std::int64_t i) { return i; }), [](std::int64_t i) { return i; });

  cluster.start("c");
  std::int64_t rounds = 0;
  const auto add_one = [](std::int64_t) { return 1; };
  do {
    ++rounds;
    check_all(add_to_all(client, add_one), [&](std::int64_t i) { return i + rounds; });
  } while (!cluster.each_runs_once(kChildren));
  REQUIRE(eventually([&] { return cluster.each_runs_once(kChildren) && cluster.digests_agree(); }));
  const auto placed = cluster.placement("a");
  CHECK(placed.at("c") > std::size_t{kChildren} / 5);
  CHECK(cluster.query("c", {"moves"}) == live::Json::array());
  ++rounds;
  check_all(add_to_all(client, add_one), [&](std::int64_t i) { return i + rounds; });

  CHECK(cluster.terminate("b") == 0);
  REQUIRE(eventually([&] { return cluster.each_runs_once(kChildren) && cluster.digests_agree(); }));
  CHECK_FALSE(cluster.placement("a").contains("b"));
  ++rounds;
  check_all(add_to_all(client, add_one), [&](std::int64_t i) { return i + rounds; });
}

}  // namespace cluster_hot_swap_test
