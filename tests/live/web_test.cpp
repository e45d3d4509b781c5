// zmq-monitor web on real nodes: what a page is told while a node dies, and the page itself in a browser
// where there is one.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <memory>

#include "tests/live/support/fault_checks.hpp"
#include "tests/support/http_client.hpp"

namespace web_test {

using http_client::body_of;
using http_client::Exchange;
using http_client::get;
using live::Json;
using live::Names;
using live::ProcessCluster;

namespace {

/// A running `zmq-monitor web` on a free port.
struct Page {
  explicit Page(const ProcessCluster& cluster)
      : process({{live::program_path("zmq-monitor"), cluster.endpoint("a"), "web", "--listen", "127.0.0.1:0"},
                 cluster.directory().path() / "web.err"}) {
    const auto line = process.read_line(live::patience(std::chrono::seconds(20)));
    REQUIRE(line.has_value());
    address = line->substr(line->find("http://"));
    port = static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
  }
  live::Process process;
  std::string address{};
  std::uint16_t port = 0;
};

/// The next look for which this holds; null if none comes.
template <class Holds>
Json look_where(Exchange& stream, Holds holds) {
  const auto deadline = live::Clock::now() + live::patience(std::chrono::seconds(20));
  while (live::Clock::now() < deadline) {
    const auto data = stream.next("look");
    if (!data) break;
    auto look = Json::parse(*data);
    if (look.contains("nodes") && holds(look)) return look;
  }
  return nullptr;
}

Json node_of(const Json& look, const std::string& name) {
  for (const auto& node : look.at("nodes"))
    if (node.at("node") == name) return node;
  return nullptr;
}

}  // namespace

TEST_CASE("web: the stream tells of nodes, of a death and of what moved, and answers questions") {
  ProcessCluster cluster;
  cluster.start(Names{"a", "b", "c"});
  live::start_counters(cluster, "a", "x", 12);
  live::require_quiet(cluster, 12);
  Page page(cluster);
  Exchange stream(page.port, "GET /events");
  const auto look =
      look_where(stream, [](const Json& l) { return !node_of(l, "c").value("in_per_s", Json()).is_null(); });
  REQUIRE(look.is_object());
  CHECK(look.at("hub") == cluster.hub_id());
  CHECK(look.at("nodes").size() == 3);
  CHECK(look.at("links").size() == 6);
  std::size_t children = 0;
  for (const auto& node : look.at("nodes")) children += node.at("children").get<std::size_t>();
  CHECK(children == 12);
  const auto on_b = Json::parse(body_of(get(page.port, "/api/children?node=b")));
  REQUIRE_FALSE(on_b.empty());
  CHECK(on_b.size() == node_of(look, "b").at("children"));
  const auto moved = on_b[0].at("id").get<std::string>();
  CHECK(Json::parse(body_of(get(page.port, "/api/children?q=x-1"))).size() == 3);  // x-1, x-10, x-11

  cluster.kill("b");
  const auto ill = look_where(stream, [](const Json& l) { return node_of(l, "b").at("state") == "down"; });
  REQUIRE(ill.is_object());
  CHECK(ill.at("findings")[0].at("check") == "node_down");
  bool told = false;
  while (!told) {
    const auto event = stream.next("happened", live::patience(std::chrono::seconds(20)));
    REQUIRE(event.has_value());
    const auto ids = Json::parse(*event).at("children");
    told = event->find("taken over") != std::string::npos &&
           std::find(ids.begin(), ids.end(), moved) != ids.end();
  }
  const auto why = Json::parse(body_of(get(page.port, "/api/explain?id=" + moved)));
  CHECK(why.at("known") == true);
  CHECK(why.at("owners_by_node").size() == 2);
  CHECK_FALSE(why.at("events").empty());
  page.process.send_signal(SIGTERM);
  CHECK(page.process.wait_exit(live::patience(std::chrono::seconds(10))) == 0);
}

TEST_CASE("web: the page in Chromium") {
  ProcessCluster cluster;
  cluster.start(Names{"a", "b", "c"});
  live::start_counters(cluster, "a", "x", 12);
  live::require_quiet(cluster, 12);
  Page page(cluster);
  live::Process script({{"/usr/bin/python3", "-B", PH_SOURCE_DIR "/tests/live/web_page.py", page.address}});
  const auto first = script.read_line(live::patience(std::chrono::seconds(60)));
  REQUIRE(first.has_value());
  if (first->rfind("skipped:", 0) == 0) {
    MESSAGE(*first);
    return;
  }
  REQUIRE(*first == "looks");
  cluster.kill("b");
  CHECK(script.read_rest(live::patience(std::chrono::seconds(60))) == "done\n");
  CHECK(script.wait_exit(live::patience(std::chrono::seconds(20))) == 0);
}

}  // namespace web_test
