// hubd as a process: what it logs, what it prints of its configuration, how signals end it.
#include <doctest/doctest.h>
#include <signal.h>

#include "tests/live/support/process_cluster.hpp"

namespace hubd_process_test {

using live::ProcessCluster;

namespace {

live::Answer run_hubd(std::vector<std::string> flags) {
  flags.insert(flags.begin(), live::program_path("hubd"));
  return live::run_program(std::move(flags));
}

bool logged(const ProcessCluster& cluster, const std::string& text) {
  return live::eventually([&] { return cluster.log("a").find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("hubd logs its start and its end, with times in UTC") {
  ProcessCluster cluster;
  cluster.start("a");
  CHECK(logged(cluster, "hubd " PROCESSHUB_VERSION ", process " + std::to_string(cluster.process("a").pid()) +
                            ", plugins: "));
  CHECK(logged(cluster, " listens on " + cluster.endpoint("a") + ", publishes on tcp://127.0.0.1:"));
  const auto log = cluster.log("a");
  CHECK_MESSAGE(log.substr(10, 1) == "T", log);
  CHECK_MESSAGE(log.substr(23, 1) == "Z", log);
  REQUIRE(cluster.ask("a", {"start", "c", "--count", "2", "--type", "counter"}).exit == live::done);
  cluster.process("a").send_signal(SIGTERM);
  CHECK(cluster.process("a").wait_exit(live::patience(std::chrono::seconds(20))) == 0);
  CHECK(logged(cluster, "draining; children here: 2"));
  CHECK(logged(cluster, ": left"));
}

TEST_CASE("with log_level debug hubd tells what happens to its children and who asks") {
  ProcessCluster cluster;
  cluster.start("a", {"--log_level", "debug"});
  REQUIRE(cluster.ask("a", {"start", "c", "--type", "counter"}).exit == live::done);
  CHECK(logged(cluster, "a client asks: start"));
  CHECK(logged(cluster, "children_started c"));
}

TEST_CASE("a signal that comes twice at once is one wish, and the drain goes on") {
  ProcessCluster cluster;
  cluster.start("a");
  REQUIRE(cluster.ask("a", {"start", "c", "--type", "counter", "--executor", "dedicated"}).exit ==
          live::done);
  REQUIRE(cluster.ask("a", {"cast", "c", "sleep", R"({"ms": 1000})"}).exit == live::done);
  cluster.process("a").send_signal(SIGTERM);
  cluster.process("a").send_signal(SIGINT);
  CHECK(cluster.process("a").wait_exit(live::patience(std::chrono::seconds(20))) == 0);
  CHECK(cluster.log("a").find("second signal") == std::string::npos);
}

TEST_CASE("--print-config shows the defaults, or what a file and flags make of them") {
  live::TempDir directory;
  const auto file = directory.write("node.ini", "name = a\nlisten = tcp://127.0.0.1:7001\nspec_copies = 5\n");
  CHECK(run_hubd({"--print-config"}).out.find("\n# name =\n") != std::string::npos);
  const auto shown = run_hubd({"--print-config", "--config", file, "--name", "b"});
  CHECK(shown.exit == 0);
  CHECK(shown.out.find("\nname = b\n") != std::string::npos);
  CHECK(shown.out.find("\nspec_copies = 5\n") != std::string::npos);
  CHECK(run_hubd({"--print-config", "--config", "/nonexistent.ini"}).exit == 2);
}

TEST_CASE("files that cannot be used are a mistake in the configuration") {
  const std::vector<std::string> listen = {"--listen", "tcp://127.0.0.1:0"};
  auto with = [&](const std::string& flag, const std::string& value) {
    auto flags = listen;
    flags.insert(flags.end(), {flag, value});
    return run_hubd(flags);
  };
  CHECK(with("--secret_key_file", "/nonexistent.key").exit == 2);
  const auto plugin = with("--plugin", "./no/such/plugin.so");
  CHECK(plugin.exit == 2);
  CHECK(plugin.err.find("starts at the working directory, /") != std::string::npos);
}

}  // namespace hubd_process_test
