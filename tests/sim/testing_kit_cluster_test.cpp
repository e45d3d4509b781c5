// The test kit: cuts, crashes, custom strategies, verdicts, and clear errors.
#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/sim/testing_kit_workers.hpp"

namespace testing_kit_cluster_test {

using namespace kit_test;
using ph::ErrorCode;
using ph::testing::Cluster;
using Names = std::vector<std::string>;

namespace {

std::vector<ph::ChildSpec> counters(int count) {
  std::vector<ph::ChildSpec> out;
  for (int i = 0; i < count; ++i) out.push_back(counter("c" + std::to_string(i)));
  return out;
}

/// Everything on the first node in order of name, or, if it is broken, on whoever asks.
class FirstNode : public ph::Distribution {
 public:
  explicit FirstNode(bool selfish) : selfish_(selfish) {}
  std::string_view name() const override { return "first_node"; }
  void prepare(const ph::HubView& view) override {
    first_ = view.members.empty() ? ph::NodeId() : view.members.front().id;
    for (const auto& m : view.members) {
      if (selfish_ && m.id == view.self) first_ = m.id;
    }
  }
  void owners(const ph::ChildKey&, std::size_t replicas, std::vector<ph::NodeId>& out) const override {
    if (first_ && replicas > 0) out.push_back(first_);
  }

 private:
  bool selfish_;
  ph::NodeId first_{};
};

ph::testing::ClusterOptions with_first_node(bool selfish) {
  auto how = options();
  how.strategies.add_distribution(
      "first_node", [selfish](const ph::StrategyOptions&) -> ph::Result<std::unique_ptr<ph::Distribution>> {
        return std::unique_ptr<ph::Distribution>(std::make_unique<FirstNode>(selfish));
      });
  how.config.distribution.name = "first_node";
  return how;
}

std::string thrown(const std::function<void()>& code) {
  try {
    code();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "nothing";
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A life with faults, as told by its trace.
std::uint64_t life(std::uint64_t seed) {
  auto how = options(seed);
  how.faults = "loss=0.02 delay_tail=0.05";
  Cluster cluster(std::move(how));
  cluster.add_nodes({"a", "b", "c"});
  cluster.run_for(3s);
  CHECK(cluster.start("a", counters(10)));
  cluster.split({"a"}, {"b", "c"});
  for (int i = 0; i < 10; ++i) CHECK(cluster.cast("b", "c" + std::to_string(i), Add{i}));
  cluster.run_for(5s);
  cluster.heal();
  cluster.crash("b");
  CHECK(cluster.settle());
  return cluster.trace_hash();
}

}  // namespace

TEST_CASE("the same seed gives the same history, another seed another one") {
  const auto first = life(11);
  CHECK(life(11) == first);
  CHECK(life(12) != first);
}

TEST_CASE("a node that crashes loses its children to the others, and gets them back as a new life") {
  Cluster cluster(options());
  cluster.add_nodes({"a", "b", "c"});
  REQUIRE(cluster.start("a", counters(20)));
  REQUIRE(cluster.settle());
  const auto lost = cluster.children_on("b");
  REQUIRE(!lost.empty());
  cluster.crash("b");
  CHECK(!cluster.runs("b"));
  REQUIRE(cluster.settle());
  CHECK(cluster.up_nodes("a") == Names{"a", "c"});
  for (const auto& id : lost) {
    CHECK(cluster.worker<Counter>(id)->started_as == ph::StartReason::takeover);
    CHECK(cluster.runs_on(id) == Names{cluster.owner_of(id)});
  }
  cluster.restart("b");
  REQUIRE(cluster.settle());
  CHECK(cluster.children_on("b") == lost);
}

TEST_CASE("a silent node is missed later than one whose connections end") {
  for (const bool silent : {false, true}) {
    CAPTURE(silent);
    Cluster cluster(options());
    cluster.add_nodes({"a", "b", "c"});
    REQUIRE(cluster.settle());
    const auto begin = cluster.now();
    silent ? cluster.vanish("c") : cluster.crash("c");
    REQUIRE(cluster.run_until([&] { return cluster.up_nodes("a") == Names{"a", "b"}; }, 5s));
    CHECK((cluster.now() - begin > 1s) == silent);
  }
}

TEST_CASE("each side of a cut runs everything, and the heal leaves one of each") {
  Cluster cluster(options());
  cluster.add_nodes({"a", "b", "c"});
  REQUIRE(cluster.start("a", counters(10)));
  cluster.split({"a"}, {"b", "c"});
  REQUIRE(cluster.settle());
  CHECK(cluster.children_on("a").size() == 10);
  for (const auto& id : cluster.children_on("a")) {
    CHECK(cluster.runs_on(id).size() == 2);
    CHECK(cluster.owner_of(id, "a") == "a");
    CHECK(cluster.owner_of(id, "c") != "a");
    CHECK(cluster.worker_on<Counter>("a", id) != nullptr);
  }
  cluster.heal();
  REQUIRE(cluster.settle());
  CHECK(cluster.children_on("a").size() < 10);
  for (const auto& child : cluster.list("c")) CHECK(cluster.runs_on(child.spec.id).size() == 1);
}

TEST_CASE("nodes that one direction of one link is cut from reach each other through the third") {
  Cluster cluster(options());
  cluster.add_nodes({"a", "b", "c"});
  REQUIRE(cluster.start("a", counters(10)));
  cluster.cut_one_way("a", "b");
  REQUIRE(cluster.settle());
  CHECK(cluster.up_nodes("a") == Names{"a", "b", "c"});
  for (const auto& id : cluster.children_on("b")) CHECK(cluster.call<Total>("a", id, Add{1}));
  cluster.heal("a", "b");
  CHECK(cluster.settle());
}

TEST_CASE("metadata and children are known on every node") {
  Cluster cluster(options());
  cluster.add_nodes({"a", "b"});
  REQUIRE(cluster.start("a", counters(3)));
  REQUIRE(cluster.update_metadata("b", "c1", {{"colour", "red"}}));
  REQUIRE(cluster.settle());
  CHECK(cluster.lookup("a", "c1")->spec.metadata.at("colour") == "red");
  CHECK(cluster.list("b").size() == 3);
  CHECK(cluster.nodes("a").size() == 2);
}

TEST_CASE("options come from a file's text, and a node may have its own weight") {
  auto how = options();
  auto config = ph::HubConfig::from_text(
      "name = x\nlisten = tcp://127.0.0.1:7001\nmax_restarts = 1\n"
      "[hub]\nid = shop\n[child.main]\ntype = counter\n");
  if (!config) FAIL(config.error().message);
  how.config = *config;
  Cluster cluster(std::move(how));
  cluster.add_node("a");
  cluster.add_node("b", [](ph::HubConfig& c) { c.weight = 0; });
  REQUIRE(cluster.settle());
  CHECK(cluster.runs_on("main") == Names{"a"});
  REQUIRE(cluster.start("b", counters(20)));
  REQUIRE(cluster.settle());
  CHECK(cluster.children_on("b").empty());
}

TEST_CASE("a strategy of the user's own places the children, and the checks know it") {
  Cluster cluster(with_first_node(false));
  cluster.add_nodes({"b", "c"});
  REQUIRE(cluster.start("c", counters(5)));
  REQUIRE(cluster.settle());
  CHECK(cluster.children_on("b").size() == 5);
  cluster.add_node("a");
  REQUIRE(cluster.settle());
  CHECK(cluster.children_on("a").size() == 5);
  CHECK(cluster.owner_of("c0") == "a");
}

TEST_CASE("a strategy that is no pure function of the view is found out") {
  Cluster cluster(with_first_node(true));
  cluster.add_nodes({"a", "b"});
  CHECK(cluster.settle());
  CHECK(cluster.start("b", counters(5)));
  const auto quiet = cluster.settle(10s);
  REQUIRE(!quiet);
  CAPTURE(quiet.str());
  CHECK(has(quiet.str(), "I1: c0 belongs on"));
  std::ostringstream printed;
  printed << quiet << "; " << ph::testing::Verdict();
  CHECK(printed.str() == quiet.str() + "; fine");
}

TEST_CASE("settle says what is missing") {
  Cluster cluster(options());
  cluster.add_nodes({"a", "b"});
  REQUIRE(cluster.settle());
  cluster.pause("b");
  const auto quiet = cluster.settle(5s);
  REQUIRE(!quiet);
  CHECK(has(quiet.str(), "not quiet after 5s"));
  CHECK(has(quiet.str(), "b/1 is paused"));
  CHECK(cluster.check());  // no promise was broken
  cluster.resume("b");
  CHECK(cluster.settle());
}

TEST_CASE("what cannot be asked or answered says so") {
  Cluster cluster(options());
  cluster.add_nodes({"a", "b"});
  REQUIRE(cluster.start("a", {counter("c1")}));

  CHECK(cluster.call<Total>("a", "c9", Get{}).error().code == ErrorCode::no_such_child);
  CHECK(cluster.call<Total>("a", "c1", AddLater{10'000}, 2s).error().code == ErrorCode::timeout);
  const auto nobody = cluster.start("a", {{.id = "x", .type = "unknown"}});
  REQUIRE(nobody);
  REQUIRE(nobody->errors().size() == 1);
  CHECK(has(nobody->errors().front().message, "unknown"));
  const auto faulty = cluster.start("a", {{.id = "y", .type = "faulty"}});
  REQUIRE(faulty);
  REQUIRE(faulty->errors().size() == 1);
  CHECK(has(faulty->errors().front().message, "no disk"));

  const auto open = cluster.begin_call<Total>("b", "c1", AddLater{10'000}, 60s);
  cluster.run_for(100ms);
  cluster.crash("b");
  REQUIRE(open.ready());
  CHECK(open.result().error().code == ErrorCode::node_down);
  const auto gone = cluster.call<Total>("b", "c1", Get{});
  REQUIRE(!gone);
  CHECK(gone.error().code == ErrorCode::stopped);
  CHECK(gone.error().message == "node 'b' does not run: crashed");
  CHECK(!cluster.cast("b", "c1", Get{}));
  CHECK(cluster.list("b").empty());

  cluster.pause("a");
  const auto paused = cluster.call<Total>("a", "c1", Get{});
  REQUIRE(!paused);
  CHECK(paused.error().code == ErrorCode::timeout);
  CHECK(has(paused.error().message, "the node is paused"));
}

TEST_CASE("slips of the test itself are told at once") {
  Cluster cluster(options());
  cluster.add_nodes({"a", "b"});
  CHECK(thrown([&] { cluster.crash("x"); }) == "there is no node 'x'; there are: a b");
  CHECK(thrown([&] { cluster.cut("a", "x"); }) == "there is no node 'x'; there are: a b");
  CHECK(thrown([&] { cluster.call<Total>("x", "c1", Get{}); }) == "there is no node 'x'; there are: a b");
  CHECK(has(thrown([&] { cluster.add_node("a"); }), "there is a node 'a' already"));
  CHECK(has(thrown([&] { cluster.faults("los=0.1"); }), "unknown fault option 'los'; there are: delay_min"));
  CHECK(has(thrown([&] { cluster.faults("loss"); }), "write name=value, not 'loss'"));
  CHECK(has(thrown([] {
              auto how = options();
              how.config.distribution.name = "nonesuch";
              Cluster wrong(std::move(how));
            }),
            "nonesuch"));
  CHECK(has(thrown([] {
              auto how = options();
              how.config.heartbeat_interval = 0ms;
              Cluster wrong(std::move(how));
            }),
            "heartbeat_interval"));
  CHECK(has(thrown([] {
              auto how = options();
              how.types.add<Counter>("counter");
              Cluster wrong(std::move(how));
            }),
            "counter"));
}

namespace {
/// Steps the time of the cluster that it lives in.
class Meddler : public ph::Worker {
 public:
  static inline Cluster* cluster = nullptr;
  void on_start(ph::StartReason) override {
    ctx().after(1ms, [] { cluster->crash("a"); });
  }
};
}  // namespace

TEST_CASE("a worker that breaks its own cluster crashes instead") {
  auto how = options();
  how.types.add<Meddler>("meddler");
  how.config.max_restarts = 0;
  Cluster cluster(std::move(how));
  Meddler::cluster = &cluster;
  cluster.add_node("a");
  REQUIRE(cluster.start("a", {{.id = "m", .type = "meddler"}}));
  REQUIRE(cluster.settle());
  CHECK(has(cluster.lookup("a", "m")->failure, "crash inside a worker's turn"));
}

TEST_CASE("the trace ends with what happened last") {
  Cluster cluster(options());
  cluster.add_node("a");
  cluster.run_for(1s);
  cluster.crash("a");
  const auto last = cluster.trace(2);
  CHECK(std::count(last.begin(), last.end(), '\n') == 2);
  CAPTURE(last);
  CHECK(has(last, "* crash a\n"));
  CHECK(has(last, "a/1    = crashed\n"));
  CHECK(cluster.violations().empty());

  auto how = options();
  how.trace_lines = 0;
  Cluster silent(std::move(how));
  silent.add_node("a");
  silent.run_for(1s);
  CHECK(silent.trace().empty());
}

}  // namespace testing_kit_cluster_test
