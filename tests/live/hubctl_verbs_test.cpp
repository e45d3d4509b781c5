// hubctl against one real node: what each verb prints for programs and which exit code it ends with.
#include <doctest/doctest.h>

#include "tests/live/support/process_cluster.hpp"

namespace hubctl_verbs_test {

using live::Json;
using live::ProcessCluster;

namespace {

struct OneNode {
  ProcessCluster cluster{};
  OneNode() { cluster.start(std::vector<std::string>{"a"}); }
  live::Answer ask(std::vector<std::string> arguments) const {
    return cluster.ask("a", std::move(arguments));
  }
  Json query(std::vector<std::string> arguments) const {
    auto answer = ask(std::move(arguments));
    REQUIRE_MESSAGE(answer.exit == live::done, answer.out, answer.err);
    return answer.json();
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> out;
    for (const auto& child : query({"list"})) out.push_back(child.at("id"));
    return out;
  }
};

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("nodes, status and digest describe a node that runs alone") {
  OneNode one;
  auto nodes = one.query({"nodes"});
  REQUIRE(nodes.size() == 1);
  CHECK(nodes[0].at("name") == "a");
  CHECK(nodes[0].at("incarnation").is_number_unsigned());
  CHECK(nodes[0].at("endpoint") == one.cluster.endpoint("a"));
  CHECK(nodes[0].at("state") == "up");

  auto status = one.query({"status"});
  CHECK(status.at("node") == "a");
  CHECK(status.at("hub") == one.cluster.hub_id());
  CHECK(status.at("locked") == false);
  CHECK(status.at("partitioned") == false);
  CHECK(status.at("children_local") == 0);
  CHECK(status.at("children_total") == 0);
  CHECK(one.query({"digest"}).at("digest") == status.at("digest"));
}

TEST_CASE("a child that is started with args answers calls and casts until it is stopped") {
  OneNode one;
  CHECK(one.ask({"start", "c", "--type", "counter", "--args", R"({"start": 40})", "--tag", "t"}).exit ==
        live::done);
  CHECK(one.query({"call", "c", "add", R"({"by": 1})"}) == Json{{"total", 41}});
  CHECK(one.ask({"cast", "c", "add", R"({"by": 1})"}).exit == live::done);
  CHECK(one.query({"call", "c", "get", "{}"}) == Json{{"total", 42}});
  auto where = one.query({"call", "c", "where", "{}"});
  CHECK(where.at("node") == "a");
  CHECK(where.at("role") == "active");
  CHECK(where.at("generation").is_string());
  CHECK(one.ask({"stop", "c"}).exit == live::done);
  CHECK(one.ids() == Ids{});
}

TEST_CASE("list and lookup have the agreed shape") {
  OneNode one;
  one.query({"start", "c", "--type", "counter", "--tag", "t"});
  auto list = one.query({"list"});
  REQUIRE(list.size() == 1);
  CHECK(list[0].at("id") == "c");
  CHECK(list[0].at("type") == "counter");
  CHECK(list[0].at("tag") == "t");
  REQUIRE(list[0].at("instances").size() == 1);
  const auto& instance = list[0].at("instances")[0];
  CHECK(instance.at("node") == "a");
  CHECK(instance.at("state") == "running");
  CHECK(instance.at("role") == "active");
  CHECK(instance.contains("ref"));
  CHECK(instance.contains("generation"));
  CHECK(one.query({"list", "--local"}) == list);
  CHECK(one.query({"tag", "t"}) == list);
  CHECK(one.query({"tag", "other"}) == Json::array());

  auto child = one.query({"lookup", "c"});
  CHECK(child.at("id") == "c");
  CHECK(child.at("instances") == list[0].at("instances"));
  CHECK(child.at("spec").is_object());
  CHECK(child.at("metadata") == Json::object());
}

TEST_CASE("start --count numbers the children and stop takes ids, a prefix or a tag") {
  OneNode one;
  one.query({"start", "p", "--count", "3", "--type", "counter"});
  one.query({"start", "q", "--count", "2", "--type", "counter", "--tag", "t"});
  CHECK(one.ids() == Ids{"p-0", "p-1", "p-2", "q-0", "q-1"});
  CHECK(one.ask({"stop", "p-0", "p-2"}).exit == live::done);
  CHECK(one.ids() == Ids{"p-1", "q-0", "q-1"});
  CHECK(one.ask({"stop", "--tag", "t"}).exit == live::done);
  CHECK(one.ids() == Ids{"p-1"});
  CHECK(one.ask({"stop", "--prefix", "p"}).exit == live::done);
  CHECK(one.ids() == Ids{});
}

TEST_CASE("start --file takes one spec per line") {
  OneNode one;
  live::TempDir directory;
  auto file = directory.write(
      "specs.jsonl",
      R"({"id": "x", "type": "counter", "args": {"start": 7}, "tag": "t", "metadata": {"k": "v"}})"
      "\n\n"
      R"({"id": "y", "type": "counter", "restart": "transient", "executor": "dedicated"})"
      "\n");
  one.query({"start", "--file", file});
  CHECK(one.ids() == Ids{"x", "y"});
  CHECK(one.query({"call", "x", "get", "{}"}) == Json{{"total", 7}});
  CHECK(one.query({"lookup", "x"}).at("metadata") == Json{{"k", "v"}});
  CHECK(one.query({"lookup", "y"}).at("spec").at("restart") == "transient");
}

TEST_CASE("start --file - reads the specs from standard input") {
  OneNode one;
  const auto command = "echo '{\"id\": \"x\", \"type\": \"counter\"}' | " + live::program_path("hubctl") +
                       " start --file - --connect " + one.cluster.endpoint("a");
  CHECK(live::run_program({"/bin/sh", "-c", command}).exit == live::done);
  CHECK(one.ids() == Ids{"x"});
}

TEST_CASE("an error of a start is told once, and of a roll-back the cause") {
  OneNode one;
  one.query({"start", "c-1", "--type", "counter"});
  const auto endpoint = one.cluster.endpoint("a");
  auto again = live::run_hubctl({"start", "c-1", "--type", "counter", "--connect", endpoint});
  CHECK(again.exit == live::said_no);
  CHECK(again.out == "started 0 of 1\n");
  CHECK_MESSAGE(again.err.find("hubctl: already_started: c-1: ") == 0, again.err);
  auto undone = live::run_hubctl(
      {"start", "c", "--count", "3", "--type", "counter", "--rollback", "--connect", endpoint});
  CHECK(undone.exit == live::said_no);
  CHECK_MESSAGE(undone.err.find("hubctl: already_started: c-1: ") == 0, undone.err);
  CHECK(one.ids() == Ids{"c-1"});
}

TEST_CASE("a node that is just starting is waited for") {
  live::ProcessCluster cluster;
  cluster.start("a");
  const auto endpoint = cluster.endpoint("a");
  cluster.terminate("a");
  const auto command = live::program_path("hubd") + " --name a --listen " + endpoint + " 2>/dev/null & " +
                       live::program_path("hubctl") + " nodes --connect " + endpoint +
                       "; code=$?; kill %1; wait %1; exit $code";
  auto answer = live::run_program({"/bin/bash", "-c", command});
  CHECK_MESSAGE(answer.exit == live::done, answer.err);
}

TEST_CASE("metadata replaces what lookup shows") {
  OneNode one;
  one.query({"start", "c", "--type", "counter"});
  CHECK(one.ask({"metadata", "c", "owner=ops", "note=a=b"}).exit == live::done);
  CHECK(live::eventually([&] {
    return one.query({"lookup", "c"}).at("metadata") == Json{{"owner", "ops"}, {"note", "a=b"}};
  }));
  CHECK(one.ask({"metadata", "c", "--clear"}).exit == live::done);
  CHECK(live::eventually([&] { return one.query({"lookup", "c"}).at("metadata") == Json::object(); }));
}

TEST_CASE("migrate moves a child to the node that is named, and says why it cannot") {
  live::ProcessCluster cluster;
  cluster.start(std::vector<std::string>{"a", "b", "c"});
  REQUIRE(cluster.ask("a", {"start", "x", "--count", "12", "--type", "counter"}).exit == live::done);
  for (const std::string target : {"b", "c", "a"}) {
    for (int i = 0; i < 12; ++i)
      CHECK(cluster.ask("a", {"migrate", "x-" + std::to_string(i), target}).exit == live::done);
    CHECK(live::eventually([&] {
      return cluster.placement("b") == std::map<std::string, std::size_t>{{target, 12}};
    }));
  }
  const auto nowhere = cluster.ask("a", {"migrate", "x-0", "z"});
  CHECK(nowhere.exit == live::said_no);
  CHECK(nowhere.err.find("no node 'z' may own children; there are: a, b, c") != std::string::npos);
}

TEST_CASE("the cluster says no with exit code 1 and names the reason") {
  OneNode one;
  one.query({"start", "c", "--type", "counter"});
  auto refused = [&](std::vector<std::string> arguments, const std::string& reason) {
    auto answer = one.ask(std::move(arguments));
    CHECK(answer.exit == live::said_no);
    CHECK_MESSAGE((answer.out + answer.err).find(reason) != std::string::npos, answer.out, answer.err);
  };
  refused({"lookup", "nobody"}, "no_such_child");
  refused({"call", "nobody", "get", "{}"}, "no_such_child");
  refused({"stop", "nobody"}, "no_such_child");
  refused({"call", "c", "unheard_of", "{}"}, "no_such_message");
  refused({"call", "c", "add", R"({"beyond": 1})"}, "no_such_message");
  refused({"call", "c", "crash", "{}"}, "worker_crashed");
  refused({"start", "c", "--type", "counter"}, "already_started");
  refused({"start", "d", "--type", "no_such_type"}, "no_such_type");
  refused({"cast", "nobody", "get", "{}"}, "no_such_child");
  refused({"restart", "nobody"}, "no_such_child");
}

TEST_CASE("a call that takes longer than --timeout ends with exit code 1") {
  OneNode one;
  one.query({"start", "c", "--type", "counter"});
  auto answer = one.ask({"call", "c", "sleep", R"({"ms": 10000})", "--timeout", "500ms"});
  CHECK(answer.exit == live::said_no);
  CHECK((answer.out + answer.err).find("timeout") != std::string::npos);
}

TEST_CASE("addresses are tried in turn until one answers") {
  OneNode one;
  auto answer =
      live::run_hubctl({"--connect", "tcp://127.0.0.1:1," + one.cluster.endpoint("a"), "--json", "status"});
  CHECK(answer.exit == live::done);
  CHECK(answer.json().at("node") == "a");
}

TEST_CASE("tables for people name the same things") {
  OneNode one;
  one.query({"start", "c", "--type", "counter"});
  const auto endpoint = one.cluster.endpoint("a");
  auto list = live::run_hubctl({"list", "--connect", endpoint});
  CHECK(list.exit == live::done);
  CHECK(list.out.find("ID") == 0);
  CHECK(list.out.find("counter") != std::string::npos);
  CHECK(live::run_hubctl({"nodes", "--connect", endpoint}).out.find(endpoint) != std::string::npos);
  CHECK(live::run_hubctl({"dump", "--connect", endpoint}).out.find("c") != std::string::npos);
}

TEST_CASE("a child that is gone wrong can be restarted by hand") {
  OneNode one;
  one.query({"start", "c", "--type", "counter"});
  auto state = [&] {
    auto instances = one.query({"lookup", "c"}).at("instances");
    return instances.empty() ? std::string() : instances[0].at("state").get<std::string>();
  };
  CHECK(live::eventually([&] {
    one.ask({"cast", "c", "crash", "{}"});
    return state() == "failed";
  }));
  auto restarted = one.query({"restart", "c"});
  CHECK(restarted.at("children")[0].at("restarted") == true);
  CHECK(live::eventually([&] { return state() == "running"; }));
  CHECK(one.query({"call", "c", "get", "{}"}) == Json{{"total", 0}});
}

}  // namespace hubctl_verbs_test
