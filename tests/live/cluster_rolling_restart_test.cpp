// Real nodes, restarted one after the other or killed, while programs write numbered entries to stateful
// children as fast as they are answered.
//   PH_LEDGERS=1000 PH_LEDGER_PROGRAMS=8 build/release/live_tests -tc="rolling restart*"
#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/live/support/process_cluster.hpp"

namespace cluster_rolling_restart_test {

using live::eventually;
using live::Json;
using live::Process;
using live::ProcessCluster;
using namespace std::chrono_literals;

namespace {

std::size_t from_environment(const char* name, std::size_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoul(text, nullptr, 10);
}

/// Programs that write to the ledgers until they are told to end.
class Writers {
 public:
  Writers(const ProcessCluster& cluster, std::size_t programs, std::size_t ledgers) {
    for (std::size_t i = 0; i < programs; ++i) {
      std::vector<std::string> argv = {live::program_path("example_ledger"), "w" + std::to_string(i),
                                       std::to_string(ledgers), "64"};
      for (const auto& name : cluster.names()) argv.push_back(cluster.endpoint(name));
      programs_.emplace_back(live::Program{std::move(argv), {}, {}, false, {}});
    }
    for (auto& program : programs_) REQUIRE(program.read_line(60s) == "writing");
  }
  /// What each has seen since the last time.
  std::vector<Json> phase() {
    for (auto& program : programs_) program.send_signal(SIGUSR1);
    return read_all();
  }
  /// Ends them: the last phases, then the audits.
  std::pair<std::vector<Json>, std::vector<Json>> end() {
    for (auto& program : programs_) program.send_signal(SIGTERM);
    auto last = read_all();
    return {std::move(last), read_all()};
  }
  std::vector<int> exit_codes() {
    std::vector<int> codes;
    for (auto& program : programs_) codes.push_back(program.wait_exit(30s).value_or(-1));
    return codes;
  }

 private:
  std::vector<Json> read_all() {
    std::vector<Json> out;
    for (auto& program : programs_) {
      const auto line = program.read_line(60s);
      REQUIRE(line);
      MESSAGE(*line);
      out.push_back(Json::parse(*line));
    }
    return out;
  }
  std::deque<Process> programs_{};
};

std::uint64_t sum(const std::vector<Json>& reports, const char* what) {
  std::uint64_t total = 0;
  for (const auto& r : reports) total += r.at(what).get<std::uint64_t>();
  return total;
}

bool all_quiet(const ProcessCluster& cluster, std::size_t children) {
  return cluster.each_runs_once(children) && cluster.digests_agree();
}

void start_five(ProcessCluster& cluster) {
  cluster.set_flags({"--migration", "hot_swap", "--plugin", live::program_path("libledger.so")}, {});
  cluster.start(std::vector<std::string>{"a", "b", "c", "d", "e"});
}

}  // namespace

TEST_CASE("rolling restart: five nodes, one after the other, and not one call fails or entry is lost") {
  const auto ledgers = from_environment("PH_LEDGERS", 60);
  ProcessCluster cluster;
  start_five(cluster);
  Writers writers(cluster, from_environment("PH_LEDGER_PROGRAMS", 2), ledgers);
  for (const auto& name : cluster.names()) {
    CHECK(cluster.terminate(name) == 0);
    cluster.start(name);
    REQUIRE(eventually([&] { return all_quiet(cluster, ledgers); }, 60s));
    const auto reports = writers.phase();
    CHECK(sum(reports, "calls") > 0);
    CHECK(sum(reports, "failed") == 0);
    CHECK(sum(reports, "wrong_answers") == 0);
  }
  const auto [last, audits] = writers.end();
  CHECK(sum(last, "failed") == 0);
  for (const char* what : {"lost", "lost_casts", "repeated", "overtaken", "new_lives", "silent"})
    CHECK_MESSAGE(sum(audits, what) == 0, what);
  for (const int code : writers.exit_codes()) CHECK(code == 0);
}

TEST_CASE("kill -9 under load: every call ends in time, says what is known, and soon none fails any more") {
  const auto ledgers = from_environment("PH_LEDGERS", 60);
  ProcessCluster cluster;
  start_five(cluster);
  Writers writers(cluster, from_environment("PH_LEDGER_PROGRAMS", 2), ledgers);
  CHECK(sum(writers.phase(), "failed") == 0);
  cluster.kill("c");
  REQUIRE(eventually([&] { return all_quiet(cluster, ledgers); }, 60s));
  const auto meanwhile = writers.phase();
  CHECK(sum(meanwhile, "late") == 0);
  CHECK(sum(meanwhile, "wrong_answers") == 0);
  std::uint64_t calls = 0;
  while (calls < 1'000) {
    const auto after = writers.phase();
    CHECK(sum(after, "failed") == 0);
    calls += sum(after, "calls");
  }
  const auto [last, audits] = writers.end();
  CHECK(sum(last, "failed") + sum(last, "late") == 0);
  // Children of the other nodes kept their books: what was answered is in them, and nothing that an error
  // denied.
  for (const char* what : {"lost", "repeated", "not_true", "silent"})
    CHECK_MESSAGE(sum(audits, what) == 0, what);
  CHECK(sum(audits, "new_lives") > 0);
  CHECK(sum(audits, "new_lives") < ledgers * audits.size());
}

}  // namespace cluster_rolling_restart_test
