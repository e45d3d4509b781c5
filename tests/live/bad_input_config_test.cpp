// hubd refuses what it cannot use, with one clear line, before anything starts.
#include <doctest/doctest.h>

#include "tests/live/support/process_cluster.hpp"

namespace bad_input_config_test {

namespace {

using Words = std::vector<std::string>;

/// Runs hubd with these flags and expects it to give up with one line of error that has all of `named`.
void expect_refusal(Words flags, const Words& named) {
  flags.insert(flags.begin(), live::program_path("hubd"));
  const auto answer = live::run_program(flags, std::chrono::seconds(20));
  CHECK_MESSAGE(answer.exit > 0, "hubd ended ", answer.exit, ": ", answer.err);
  CHECK_MESSAGE(answer.exit < 128, "hubd crashed: ", answer.err);
  CHECK_MESSAGE(answer.out.empty(), "hubd printed an address: ", answer.out);
  for (const auto& text : named) {
    CHECK_MESSAGE(answer.err.find(text) != std::string::npos, "'", answer.err, "' does not name '", text,
                  "'");
  }
}

struct Files {
  live::TempDir directory{};
  std::string write(const std::string& text) const { return directory.write("node.ini", text); }
};

const std::string kGoodStart = "name = a\nlisten = tcp://127.0.0.1:0\n";

}  // namespace

TEST_CASE("a truncated file is refused with its line") {
  Files files;
  const auto file = files.write(kGoodStart + "[hub");
  expect_refusal({"--config", file}, {file, "3"});
}

TEST_CASE("a file that is not there is refused by name") {
  expect_refusal({"--config", "/nonexistent.ini"}, {"/nonexistent.ini"});
}

TEST_CASE("an unknown key is refused with file, line and key") {
  Files files;
  const auto file = files.write(kGoodStart + "hartbeat_interval = 1s\n");
  expect_refusal({"--config", file}, {file, "3", "hartbeat_interval"});
}

TEST_CASE("a value that does not fit is refused with file, line and key") {
  Files files;
  const auto file = files.write(kGoodStart + "spec_copies = many\n");
  expect_refusal({"--config", file}, {file, "3", "spec_copies", "many"});
}

TEST_CASE("an unknown strategy is refused and the known ones are named") {
  Files files;
  const auto file = files.write(kGoodStart + "distribution = by_dice\n");
  expect_refusal({"--config", file}, {"by_dice", "rendezvous"});
}

TEST_CASE("a child that a file declares twice is refused") {
  Files files;
  const auto file = files.write(kGoodStart + "plugin = " + live::program_path("libcounter.so") +
                                "\n[child.x]\ntype = counter\n[child.x]\ntype = counter\n");
  expect_refusal({"--config", file}, {"x"});
}

TEST_CASE("unknown flags and flags without a value are refused") {
  expect_refusal({"--listen", "tcp://127.0.0.1:0", "--frobnicate", "1"}, {"frobnicate"});
  expect_refusal({"--listen"}, {"listen"});
}

TEST_CASE("a plugin that is no plugin is refused by name") {
  live::TempDir directory;
  const auto text = directory.write("libtext.so", "this is no shared library\n");
  expect_refusal({"--listen", "tcp://127.0.0.1:0", "--plugin", text}, {text});
  expect_refusal({"--listen", "tcp://127.0.0.1:0", "--plugin", "/nonexistent/libx.so"},
                 {"/nonexistent/libx.so"});
  // A real library that exports no plugin.
  const auto library = live::program_path("libprocesshub.so");
  expect_refusal({"--listen", "tcp://127.0.0.1:0", "--plugin", library}, {"libprocesshub.so"});
}

TEST_CASE("an address that is open to the network needs keys or the word insecure") {
  expect_refusal({"--listen", "tcp://0.0.0.0:0", "--advertise", "tcp://127.0.0.1:7999"}, {"insecure"});
}

TEST_CASE("an address that is in use is refused by name") {
  live::ProcessCluster cluster;
  cluster.start("a");
  expect_refusal({"--listen", cluster.endpoint("a")}, {cluster.endpoint("a").substr(6)});
}

}  // namespace bad_input_config_test
