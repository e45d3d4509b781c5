// Passivated children in a simulated cluster: they move, lose their node and are woken like all others.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/testing_kit_workers.hpp"

namespace testing_kit_passivation_test {

using namespace kit_test;
using ph::testing::Cluster;

namespace {

class Account : public ph::Worker {
 public:
  static void handlers(ph::Handlers<Account>& h) { h.on<&Account::add>(); }
  Total& state() { return total_; }
  void on_start(ph::StartReason reason) override { note(ph::to_string(reason)); }
  void on_stop(ph::StopReason reason) override { note(ph::to_string(reason)); }

 private:
  void note(std::string_view what) { diary().push_back(ctx().id() + " " + std::string(what)); }
  Total add(const Add& m) {
    total_.total += m.by;
    return total_;
  }
  Total total_{};
};

constexpr int kAccounts = 20;

ph::testing::ClusterOptions accounts(std::uint64_t seed) {
  auto how = options(seed);
  how.types.add<Account>("account");
  how.config.migration.name = "hot_swap";
  return how;
}

std::string name_of(int i) { return "a" + std::to_string(i); }

void open_accounts(Cluster& cluster) {
  std::vector<ph::ChildSpec> specs;
  for (int i = 0; i < kAccounts; ++i) {
    specs.push_back({.id = name_of(i), .type = "account"});
    specs.back().passivate_after = 2s;
  }
  auto started = cluster.start("a", std::move(specs));
  REQUIRE(started);
  REQUIRE(started->errors().empty());
}

int awake(const Cluster& cluster) {
  int out = 0;
  for (int i = 0; i < kAccounts; ++i) out += cluster.worker<Account>(name_of(i)) != nullptr ? 1 : 0;
  return out;
}

}  // namespace

TEST_CASE("passivated children stay where they are for everybody, and move with their states unwoken") {
  Cluster cluster(accounts(3));
  cluster.add_nodes({"a", "b", "c"});
  REQUIRE(cluster.settle());
  open_accounts(cluster);
  for (int i = 0; i < kAccounts; ++i) REQUIRE(cluster.call<Total>("b", name_of(i), Add{i}));
  CHECK(awake(cluster) == kAccounts);
  REQUIRE(cluster.run_until([&] { return awake(cluster) == 0; }, 5s));
  CHECK(cluster.check());
  for (int i = 0; i < kAccounts; ++i) CHECK(cluster.lookup("c", name_of(i))->active() != nullptr);

  diary().clear();
  cluster.add_nodes({"d", "e"});
  REQUIRE(cluster.settle());
  for (const auto& line : diary())
    CHECK(line.substr(line.find(' ')) == " move");  // no last turn: they had it
  CHECK_FALSE(diary().empty());
  for (int i = 0; i < kAccounts; ++i) {
    const auto total = cluster.call<Total>("d", name_of(i), Add{1});
    REQUIRE(total);
    CHECK(total->total == i + 1);
  }
  CHECK(cluster.check());
}

TEST_CASE("on a bad network, with nodes that come and leave, no message and no state of a sleeper is lost") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    auto how = accounts(seed);
    how.faults = "loss=0.02 duplicate=0.02 delay_max=15ms";
    Cluster cluster(std::move(how));
    cluster.add_nodes({"a", "b", "c"});
    REQUIRE(cluster.settle());
    open_accounts(cluster);
    std::vector<std::int64_t> sums(kAccounts, 0);
    const auto add_to_some = [&](int round) {
      for (int i = round % 3; i < kAccounts; i += 3) {
        REQUIRE(cluster.cast("a", name_of(i), Add{round + 1}));
        sums[static_cast<std::size_t>(i)] += round + 1;
      }
    };
    for (int round = 0; round < 12; ++round) {
      add_to_some(round);
      if (round == 3) cluster.add_nodes({"d"});
      if (round == 7) REQUIRE(cluster.leave("b"));
      cluster.run_for(round % 4 == 0 ? 3s : 500ms);
    }
    REQUIRE(cluster.settle());
    for (int i = 0; i < kAccounts; ++i) {
      const auto total = cluster.call<Total>("a", name_of(i), Add{0});
      REQUIRE(total);
      CHECK(total->total == sums[static_cast<std::size_t>(i)]);
    }
    CHECK(cluster.check());
  }
}

}  // namespace testing_kit_passivation_test
