// Faults that are planted into a cluster of real processes, and what zmq-monitor calls them.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <optional>
#include <vector>

#include "tests/live/support/fault_checks.hpp"
#include "transport/zmq/client_socket.hpp"
#include "transport/zmq/curve_keys.hpp"
#include "transport/zmq/socket_options.hpp"

namespace monitor_faults_test {

using live::Answer;
using live::Clock;
using live::eventually;
using live::Json;
using live::Names;
using live::ProcessCluster;

namespace {

/// Three nodes with keys and small mailboxes.
class Lab {
 public:
  Lab() {
    std::filesystem::create_directory(keys_.path() / "allow");
    for (const std::string name : {"cluster", "ops", "stranger"})
      REQUIRE(live::run_hubctl({"keygen", name, "--dir", keys_.path().string()}).exit == live::done);
    std::filesystem::copy(key("ops.pub"), key("allow/ops.pub"));
    cluster.set_flags(
        {"--secret_key_file", key("cluster.key"), "--allow_dir", key("allow"), "--mailbox_limit", "20"},
        {"--key", key("ops.key"), "--server-key", key("cluster.pub")});
    cluster.start(Names{"a", "b", "c"});
  }

  std::string key(const std::string& file) const { return (keys_.path() / file).string(); }
  Answer monitor(Names arguments) const {
    Names argv = {live::program_path("zmq-monitor"),
                  "--connect",
                  cluster.endpoint("a"),
                  "--json",
                  "--key",
                  key("ops.key"),
                  "--server-key",
                  key("cluster.pub")};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return live::run_program(std::move(argv));
  }
  void start_child(const std::string& id) {
    REQUIRE(cluster.ask("a", {"start", id, "--type", "counter"}).exit == live::done);
    places_[id] = cluster.query("a", {"lookup", id}).at("instances")[0].at("node");
    REQUIRE(cluster.ask("a", {"cast", id, "sleep", R"({"ms": 60000})"}).exit == live::done);
  }
  std::string place(const std::string& id) const { return places_.at(id); }
  /// A hubd of these flags with `a` as seed, which is no member of the cluster.
  void start_outsider(const std::string& name, Names flags) {
    Names argv = {live::program_path("hubd"),
                  "--name",
                  name,
                  "--hub.id",
                  cluster.hub_id(),
                  "--seed",
                  cluster.endpoint("a"),
                  "--listen",
                  "tcp://127.0.0.1:0"};
    argv.insert(argv.end(), flags.begin(), flags.end());
    const auto log = cluster.directory().path() / ("outsider-" + std::to_string(outsiders_.size()) + ".log");
    outsiders_.emplace_back(live::Program{std::move(argv), log});
  }
  Names member_keys() const { return {"--secret_key_file", key("cluster.key"), "--allow_dir", key("allow")}; }
  /// Subscribes to what `b` publishes, and reads none of it.
  void subscribe_and_stall() {
    processhub::SecurityConfig security;
    security.secret_key_file = key("ops.key");
    security.server_key_file = key("cluster.pub");
    auto options = processhub::client_options(security);
    REQUIRE(options);
    subscriber_ =
        processhub::zmq_detail::open_subscriber(context_, processhub::zmq_detail::client_setup(*options));
    subscriber_.set(zmq::sockopt::rcvhwm, 1);
    subscriber_.set(zmq::sockopt::rcvbuf, 4'096);
    const auto log = cluster.log("b");
    const auto at = log.find("publishes on ") + 13;
    subscriber_.connect(log.substr(at, log.find(';', at) - at));
  }
  /// So much is published that a subscriber's machine cannot hold it.
  void publish_much() {
    std::string specs;
    for (int i = 0; i < 300; ++i) {
      const Json spec = {{"id", "big-" + std::to_string(i)},
                         {"type", "counter"},
                         {"metadata", {{"text", std::string(8'000, 'x')}}}};
      specs += spec.dump() + "\n";
    }
    const auto file = keys_.write("specs.jsonl", specs);
    REQUIRE(cluster.ask("b", {"start", "--file", file}).exit == live::done);
  }

  ProcessCluster cluster{};

 private:
  live::TempDir keys_{};
  std::map<std::string, std::string> places_{};
  std::vector<live::Process> outsiders_{};
  zmq::context_t context_{};
  zmq::socket_t subscriber_{};
};

struct Fault {
  const char* what;
  void (*plant)(Lab&);
  const char* check;                ///< doctor's name for it
  std::string (*node)(const Lab&);  ///< that is named; empty: any
  const char* text;                 ///< that the finding holds
};

std::string any(const Lab&) { return {}; }
template <char Name>
std::string node(const Lab&) {
  return {Name};
}

const std::vector<Fault>& faults() {
  static const std::vector<Fault> kFaults = {
      {"stalled PUB subscriber",
       [](Lab& lab) {
         lab.subscribe_and_stall();
         lab.publish_much();
       },
       "stalled_subscriber", node<'b'>, "bytes wait"},
      {"stuck worker", [](Lab& lab) { lab.start_child("stuck"); }, "stuck_worker",
       [](const Lab& lab) { return lab.place("stuck"); }, "stuck"},
      {"mailbox flood",
       [](Lab& lab) {
         lab.start_child("flooded");
         for (int i = 0; i < 15; ++i)
           REQUIRE(lab.cluster.ask("a", {"cast", "flooded", "add", R"({"by": 1})"}).exit == live::done);
       },
       "mailbox_flood", [](const Lab& lab) { return lab.place("flooded"); }, "'flooded' holds 15 of 20"},
      {"wrong CURVE key",
       [](Lab& lab) {
         lab.start_outsider("w", {"--secret_key_file", lab.key("stranger.key")});
       },
       "wrong_key", node<'a'>, "encrypted for another key"},
      {"key that is not on the list",
       [](Lab& lab) {
         Names argv = {"--connect",    lab.cluster.endpoint("c"), "--key", lab.key("stranger.key"),
                       "--server-key", lab.key("cluster.pub"),    "nodes"};
         CHECK(live::run_hubctl(std::move(argv)).exit == live::nobody_answered);
       },
       "wrong_key", node<'c'>, "key refused"},
      {"config mismatch",
       [](Lab& lab) {
         auto flags = lab.member_keys();
         flags.insert(flags.end(), {"--migration", "hot_swap"});
         lab.start_outsider("other", flags);
       },
       "config_differs", any, "migration"},
      {"duplicate node name", [](Lab& lab) { lab.start_outsider("b", lab.member_keys()); }, "duplicate_name",
       any, "named 'b'"},
      {"lock held too long",
       [](Lab& lab) {
         REQUIRE(lab.cluster.ask("a", {"lock", "--reason", "backup", "--yes"}).exit == live::done);
       },
       "lock_held", node<'a'>, "backup"},
      {"SIGSTOPped node", [](Lab& lab) { lab.cluster.pause("c"); }, "silent_node", node<'c'>,
       "does not answer"},
  };
  return kFaults;
}

bool names(const Json& findings, const Fault& fault, const Lab& lab) {
  const auto where = fault.node(lab);
  return std::any_of(findings.begin(), findings.end(), [&](const Json& one) {
    return one.at("check") == fault.check && (where.empty() || one.at("node") == where) &&
           one.at("text").get<std::string>().find(fault.text) != std::string::npos &&
           !one.at("advice").get<std::string>().empty();
  });
}

}  // namespace

TEST_CASE("monitor: doctor names each planted fault, where it is, and what to do about it") {
  Lab lab;
  CHECK(eventually([&] { return lab.monitor({"doctor"}).json() == Json::array(); }));
  for (const auto& fault : faults()) {
    INFO(fault.what);
    fault.plant(lab);
    const auto planted = Clock::now();
    Json found;
    CHECK_MESSAGE(eventually([&] {
                    found = lab.monitor({"doctor"}).json();
                    return names(found, fault, lab);
                  }),
                  found.dump(1));
    const auto took = std::chrono::duration_cast<live::Millis>(Clock::now() - planted);
    MESSAGE(std::string(fault.what), ": named after ", took.count(), " ms");
  }
  CHECK(lab.monitor({"doctor"}).exit == 1);
  CHECK(lab.monitor({"check", "--nagios"}).exit == 2);
  lab.cluster.resume("c");
}

}  // namespace monitor_faults_test
