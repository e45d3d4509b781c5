// One node after the other leaves and comes back while all others, and clients, send numbered messages to
// children with a state: the same promise as in tests/live/cluster_rolling_restart_test.cpp, on a network
// that loses, repeats and delays.
#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "processhub/processhub.hpp"
#include "processhub/testing.hpp"

namespace rolling_restart_test {

namespace ph = processhub;
using namespace std::chrono_literals;

namespace {

// clang-format off
struct Entry  { std::string from{}; std::int64_t number = 0;  PROCESSHUB_FIELDS(from, number) };
struct Booked { std::int64_t number = 0;                      PROCESSHUB_FIELDS(number) };
struct Line   { std::string from{}; std::int64_t last = 0;    PROCESSHUB_FIELDS(from, last) };
struct Books  { std::vector<Line> lines{}; std::int64_t wrong = 0;  PROCESSHUB_FIELDS(lines, wrong) };
// clang-format on

class Keeper : public ph::Worker {
 public:
  static void handlers(ph::Handlers<Keeper>& h) { h.on<&Keeper::entry>(); }
  Books& state() { return books; }
  Books books{};

 private:
  Booked entry(const Entry& e) {
    for (auto& line : books.lines) {
      if (line.from != e.from) continue;
      books.wrong += e.number == line.last + 1 ? 0 : 1;
      line.last = e.number;
      return {e.number};
    }
    books.wrong += e.number == 1 ? 0 : 1;
    books.lines.push_back({e.from, e.number});
    return {e.number};
  }
};

constexpr int kChildren = 6;
const std::vector<std::string> kNodes = {"a", "b", "c", "d", "e"};
const std::vector<std::string> kClients = {"x", "y", "z"};

/// The programs on all nodes, and clients: each numbers what it sends to each child.
class Programs {
 public:
  explicit Programs(ph::testing::Cluster& cluster) : cluster_(cluster) {}

  /// Of every node but one, which leaves or is not there yet.
  void write(const std::string& without) {
    for (const auto& node : kNodes) {
      if (node != without) write(node, node + "/" + std::to_string(lives_[node]));
    }
    for (const auto& client : kClients) write(client, client);
  }
  void new_life(const std::string& node) { ++lives_[node]; }
  void check() {
    for (const auto& call : calls_) {
      REQUIRE(call.ready());
      if (!call.result()) FAIL_CHECK(call.result().error().message);
    }
    for (int child = 0; child < kChildren; ++child) {
      const auto id = "k" + std::to_string(child);
      const auto* keeper = cluster_.worker<Keeper>(id);
      REQUIRE(keeper != nullptr);
      CHECK(keeper->books.wrong == 0);
      for (const auto& line : keeper->books.lines) CHECK(line.last == sent_[{line.from, id}]);
      CHECK(keeper->books.lines.size() == senders());
    }
  }

 private:
  void write(const std::string& program, const std::string& from) {
    for (int child = 0; child < kChildren; ++child) {
      const auto id = "k" + std::to_string(child);
      const Entry entry{from, ++sent_[{from, id}]};
      if (++written_ % 3 == 0) {
        REQUIRE(cluster_.cast(program, id, entry));
      } else {
        calls_.push_back(cluster_.begin_call<Booked>(program, id, entry, 10s));
      }
    }
  }
  std::size_t senders() const { return sent_.size() / kChildren; }
  ph::testing::Cluster& cluster_;
  std::map<std::string, int> lives_{};
  std::map<std::pair<std::string, std::string>, std::int64_t> sent_{};
  std::vector<ph::testing::Pending<Booked>> calls_{};
  int written_ = 0;
};

void restart_all(std::uint64_t seed, const std::string& faults) {
  CAPTURE(seed);
  ph::testing::ClusterOptions options;
  options.seed = seed;
  options.trace_lines = 0;
  options.types.add<Keeper>("keeper");
  options.config.migration.name = "hot_swap";
  ph::testing::Cluster cluster(std::move(options));
  cluster.add_nodes(kNodes);
  REQUIRE(cluster.settle());
  std::vector<ph::ChildSpec> specs(kChildren);
  for (int i = 0; i < kChildren; ++i) {
    specs[static_cast<std::size_t>(i)].id = "k" + std::to_string(i);
    specs[static_cast<std::size_t>(i)].type = "keeper";
  }
  REQUIRE(cluster.start("a", specs));
  for (const auto& client : kClients) cluster.add_client(client);
  cluster.faults(faults);
  Programs programs(cluster);
  for (const auto& node : kNodes) {
    const auto left = cluster.begin_leave(node);
    for (int i = 0; i < 5'000 && !left.ready(); ++i) {
      programs.write(node);
      cluster.run_for(2ms);
    }
    REQUIRE(left.ready());
    cluster.restart(node);
    programs.new_life(node);
    for (int i = 0; i < 150; ++i) {
      programs.write(node);
      cluster.run_for(2ms);
    }
    for (int i = 0; i < 150; ++i) {
      programs.write({});
      cluster.run_for(2ms);
    }
  }
  REQUIRE(cluster.settle());
  cluster.run_for(1s);
  programs.check();
  CHECK(cluster.check());
}

}  // namespace

TEST_CASE("rolling restart: nothing is lost, repeated or overtaken, and no call fails") {
  restart_all(1, {});
}

TEST_CASE("rolling restart on a network that loses, repeats, delays and reorders: the same") {
  for (std::uint64_t seed = 1; seed <= 2; ++seed)
    restart_all(seed, "loss=0.01 duplicate=0.02 reorder=0.02 delay_max=4ms pub_loss=0.02");
}

}  // namespace rolling_restart_test
