// What a node, a child or a program that cannot keep up does to the others: nothing but errors and counted
// losses.
//   PH_OVERLOAD_CALLS=20000 build/release/live_tests -tc="overload*"     # prints the rates
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <processhub/processhub.hpp>
#include <string>

#include "tests/live/support/process_cluster.hpp"
#include "tests/support/sink_messages.hpp"

namespace overload_test {

using live::eventually;
using live::ProcessCluster;
using namespace processhub;
using namespace sink_messages;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kMiB = 1U << 20;

/// PH_OVERLOAD_CALLS, if it is set.
std::size_t calls_to_make(std::size_t by_default) {
  const char* text = std::getenv("PH_OVERLOAD_CALLS");
  return text == nullptr ? by_default : std::strtoul(text, nullptr, 10);
}

/// Nodes a, b and c with a child of their own each ("on-a" …), and a client.
struct World {
  ProcessCluster cluster{};
  std::optional<Client> client{};

  explicit World(const std::vector<std::string>& names) {
    cluster.set_flags({"--plugin", live::program_path("libsink.so"), "--distribution", "guided",
                       "--log_level", "info,hooks=debug"},
                      {});
    cluster.start(names);
    ClientConfig config;
    for (const auto& name : names) config.nodes.push_back(cluster.endpoint(name));
    auto connected = Client::connect(config);
    REQUIRE_MESSAGE(connected.ok(), connected.error().message);
    client.emplace(std::move(*connected));
    for (const auto& name : names) start("on-" + name, name, Executor::pooled);
  }
  void start(const std::string& id, const std::string& node, Executor executor) {
    ChildSpec spec;
    spec.id = id;
    spec.type = "sink";
    spec.nodes = {node};
    spec.executor = executor;
    const auto started = client->start_child(spec).get();
    REQUIRE_MESSAGE(started.ok(), started.error().message);
    REQUIRE(started->status == CallStatus::ok);
  }
  bool suspected() const {
    const auto names = cluster.names();
    return std::any_of(names.begin(), names.end(), [&](const auto& name) {
      return cluster.log(name).find("node_suspected") != std::string::npos;
    });
  }
  std::uint64_t dead_letters(const std::string& node) const {
    return cluster.query(node, {"status"}).at("stats").at("dead_letters");
  }
  std::uint64_t resident(const std::string& node) {
    std::ifstream status("/proc/" + std::to_string(cluster.process(node).pid()) + "/status");
    for (std::string line; std::getline(status, line);)
      if (line.rfind("RssAnon:", 0) == 0) return std::strtoull(line.c_str() + 8, nullptr, 10) * 1024;
    return 0;
  }
  /// Calls a second to the children of these nodes, one after the other; none may fail.
  double rate(const std::vector<std::string>& nodes) {
    const auto calls = calls_to_make(200);
    const auto begin = live::Clock::now();
    for (std::size_t i = 0; i < calls; ++i) {
      const auto answer = client->call<Taken>("on-" + nodes[i % nodes.size()], GetTaken{}, 20s).get();
      REQUIRE_MESSAGE(answer.ok(), answer.error().message);
    }
    return static_cast<double>(calls) / std::chrono::duration<double>(live::Clock::now() - begin).count();
  }
};

/// Calls a second of a worker on a to a child on the way of the flood, and to one on another node: one call
/// after the other, and as far as it gets with a thousand that it would make.
struct Rates {
  double same_way = 0;
  double other_way = 0;
  double same_way_offered = 0;
  double other_way_offered = 0;
};

}  // namespace

TEST_CASE(
    "overload: a flood to a child that reads nothing takes no more from others than one to a child that "
    "reads") {
  World world({"a", "b", "c"});
  const auto fifo = (world.cluster.directory().path() / "fifo").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  world.start("flooder", "a", Executor::dedicated);
  world.start("reader", "b", Executor::pooled);
  world.start("stuck", "b", Executor::dedicated);
  REQUIRE(world.client->cast("stuck", Hold{fifo}).ok());
  const auto calls = calls_to_make(60);
  const auto drive = [&](const std::string& to, std::uint64_t each_ms) {
    const auto begin = live::Clock::now();
    const auto drove = world.client->call<Drove>("on-a", Drive{to, calls, each_ms}, 120s).get();
    REQUIRE_MESSAGE(drove.ok(), drove.error().message);
    CHECK(drove->failed == 0);
    return static_cast<double>(calls) / std::chrono::duration<double>(live::Clock::now() - begin).count();
  };
  std::vector<std::uint64_t> floods{1};                                   // 62 MiB a second
  if (std::getenv("PH_OVERLOAD_CALLS") != nullptr) floods.push_back(20);  // and as much as the machine can
  for (const auto each_ms : floods) {
    std::map<std::string, Rates> rates;
    for (const std::string to : {"", "reader", "stuck"}) {
      const auto begin = live::Clock::now();
      if (!to.empty())
        REQUIRE(world.client->call<Taken>("flooder", Pour{to, each_ms, 64 * 1024}, 20s).get().ok());
      rates[to] = {drive("on-b", 0), drive("on-c", 0), drive("on-b", 1), drive("on-c", 1)};
      const auto poured = world.client->call<Taken>("flooder", Pour{}, 20s).get();
      REQUIRE_MESSAGE(poured.ok(), poured.error().message);
      const auto took = std::chrono::duration<double>(live::Clock::now() - begin).count();
      MESSAGE("flood to '" << to << "', " << static_cast<double>(poured->count) / took
                           << " a second: calls a second on its way " << rates[to].same_way
                           << ", to another node " << rates[to].other_way << ", of 1,000 on its way "
                           << rates[to].same_way_offered << ", to another node "
                           << rates[to].other_way_offered);
    }
    CHECK(rates["stuck"].same_way > rates["reader"].same_way / 10);  // the machine may be busy
    CHECK(rates["stuck"].other_way > rates["reader"].other_way / 10);
  }
  ::close(::open(fifo.c_str(), O_WRONLY | O_CLOEXEC));
  CHECK_FALSE(world.suspected());
}

TEST_CASE("overload: messages of 64 MiB arrive exactly, and nobody is suspected meanwhile") {
  World world({"a", "b"});
  auto fetched = world.client->call<Fetched>("on-a", Fetch{"on-b", 64 * kMiB - 64}, 60s);
  std::uint64_t others = 0;
  while (!fetched.wait_for(0ms)) {
    const auto other = world.client->call<Taken>("on-b", GetTaken{}, 20s).get();
    REQUIRE_MESSAGE(other.ok(), other.error().message);
    ++others;
  }
  REQUIRE_MESSAGE(fetched.get().ok(), fetched.get().error().message);
  CHECK_MESSAGE(fetched.get()->exact, fetched.get()->error);
  CHECK(others > 0);
  const auto too_long = world.client->call<Fetched>("on-a", Fetch{"on-b", 65 * kMiB}, 60s).get();
  REQUIRE(too_long.ok());
  CHECK(too_long->error == "invalid");
  CHECK_FALSE(world.suspected());
}

TEST_CASE(
    "overload: a child that stops reading, a flood to it, and a node that stops reading harm nobody else") {
  World world({"a", "b", "c"});
  const auto fifo = (world.cluster.directory().path() / "fifo").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  world.start("flooder", "a", Executor::dedicated);
  world.start("stuck", "b", Executor::dedicated);
  const auto quiet = world.rate({"a", "b", "c"});
  REQUIRE(world.client->cast("stuck", Hold{fifo}).ok());

  // 12,000 messages of 64 KiB; 64 MiB of them have a place in the mailbox.
  const std::uint64_t count = 12'000;
  auto flood = world.client->call<Taken>("flooder", Flood{"stuck", count, 64 * 1024}, 60s);
  const auto flooded = world.rate({"a", "b", "c"});
  REQUIRE_MESSAGE(flood.get().ok(), flood.get().error().message);
  const auto after = world.rate({"a", "b", "c"});
  MESSAGE("calls/s: quiet " << quiet << ", in the flood " << flooded << ", with a full mailbox " << after);
  CHECK(after > quiet / 10);  // no starving; the machine may be busy with other things
  MESSAGE("MiB: a " << world.resident("a") / kMiB << ", b " << world.resident("b") / kMiB);
  CHECK(world.resident("a") < 500 * kMiB);
  CHECK(world.resident("b") < 400 * kMiB);

  // What is full says so at once, and every message is accounted for.
  const auto refused = [&] {
    const auto answer = world.client->call<Fetched>("on-a", Fetch{"stuck", 64 * 1024}, 60s).get();
    return answer.ok() && answer->error == "overloaded";
  };
  CHECK(eventually(refused));
  const int writer = ::open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
  std::uint64_t taken = 0;
  CHECK(eventually([&] {
    const auto answer = world.client->call<Taken>("stuck", GetTaken{}, 20s).get();
    taken = answer.ok() ? answer->count : 0;
    return taken + world.dead_letters("a") + world.dead_letters("b") == count;
  }));
  ::close(writer);
  CHECK(taken > 500);
  CHECK(taken < 1'100);
  CHECK_FALSE(world.suspected());

  // A node that reads nothing: what waits for it is bounded, what it does not take is refused.
  world.cluster.pause("c");
  flood = world.client->call<Taken>("flooder", Flood{"on-c", 4'000, 64 * 1024}, 60s);
  const auto silent = world.rate({"a", "b"});
  REQUIRE_MESSAGE(flood.get().ok(), flood.get().error().message);
  CHECK(world.resident("a") < 700 * kMiB);
  MESSAGE("calls/s: one node silent " << silent << "; MiB: a " << world.resident("a") / kMiB);
  CHECK(silent > quiet / 10);
  world.cluster.resume("c");
  CHECK(eventually([&] { return world.client->call<Taken>("on-c", GetTaken{}, 1s).get().ok(); }));
}

}  // namespace overload_test
