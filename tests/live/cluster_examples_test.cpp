// The examples, run as a reader of their guide pages would run them.
#include <doctest/doctest.h>
#include <signal.h>

#include <cstdlib>
#include <fstream>

#include "tests/live/support/process_cluster.hpp"

namespace cluster_examples_test {

namespace {

std::string example(const std::string& file) { return std::string(PH_SOURCE_DIR) + "/examples/" + file; }

/// The process blocks or catches SIGTERM by now, instead of dying of it.
bool handles_sigterm(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("SigBlk:", 0) != 0 && line.rfind("SigCgt:", 0) != 0) continue;
    const auto mask = std::strtoull(line.c_str() + 7, nullptr, 16);
    if ((mask >> (SIGTERM - 1) & 1) != 0) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the quickstart program runs two children, prints their sum and leaves on SIGTERM") {
  live::TempDir directory;
  live::Process program({{live::program_path("example_quickstart"), example("quickstart/node.ini")},
                         directory.path() / "stderr",
                         {},
                         true});
  CHECK(program.read_line(std::chrono::seconds(20)) == "7");
  REQUIRE(live::eventually([&] { return handles_sigterm(program.pid()); }));
  program.send_signal(SIGTERM);
  CHECK(program.wait_exit(std::chrono::seconds(20)) == 0);
}

TEST_CASE("the quickstart program names what is wrong with its file") {
  auto answer = live::run_program({live::program_path("example_quickstart"), "/nonexistent/node.ini"});
  CHECK(answer.exit == 2);
  CHECK(answer.err.find("/nonexistent/node.ini") != std::string::npos);
}

TEST_CASE("a quickstart program whose name is taken ends with the reason") {
  live::ProcessCluster cluster;
  cluster.start("a");
  const auto file = cluster.directory().write(
      "twin.ini", "name = a\nlisten = tcp://127.0.0.1:0\nseed = " + cluster.endpoint("a") +
                      "\n[hub]\nid = " + cluster.hub_id() + "\n");
  auto answer = live::run_program({live::program_path("example_quickstart"), file});
  CHECK(answer.exit == 1);
  CHECK(answer.out.empty());
  CHECK_MESSAGE(answer.err.find("the hub ended") != std::string::npos, answer.err);
}

TEST_CASE(
    "the wordcount demo counts what the shell counts, through a killed node, two new ones and restarts of "
    "all") {
  auto answer = live::run_program({"/bin/bash", example("wordcount/demo.sh"), PH_BINARY_DIR},
                                  std::chrono::seconds(100));
  CHECK_MESSAGE(answer.exit == 0, answer.out, answer.err);
  CHECK(answer.out.find("EQUAL to sort | uniq -c of what was sent") != std::string::npos);
  CHECK(answer.out.find(" words, 0 failed") != std::string::npos);
}

TEST_CASE("the wordcount demo fails when a text cannot be read") {
  auto answer =
      live::run_program({"/bin/bash", example("wordcount/demo.sh"), PH_BINARY_DIR, "/nonexistent/text"});
  CHECK(answer.exit == 2);
}

}  // namespace cluster_examples_test
