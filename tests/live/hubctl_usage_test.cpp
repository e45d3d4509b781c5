// hubctl without any node: wrong usage, nobody there, keys.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/live/support/process_cluster.hpp"

namespace hubctl_usage_test {

using live::run_hubctl;

TEST_CASE("wrong usage ends with exit code 2 and one line that says what is wrong") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes = {
      {{}, "no verb"},
      {{"frobnicate"}, "frobnicate"},
      {{"list", "--lokal"}, "lokal"},
      {{"list", "surplus"}, "list"},
      {{"lookup"}, "ID"},
      {{"start", "c"}, "--type"},
      {{"start", "c", "--type", "counter", "--args", "{"}, "--args"},
      {{"start", "c", "--type", "counter", "--count", "many"}, "--count"},
      {{"start", "--file", "/nonexistent/specs.jsonl"}, "/nonexistent/specs.jsonl"},
      {{"start", "c", "--type", "counter", "--count", "0"}, "--count"},
      {{"start", "c", "--type", "counter", "--restart", "sometimes"}, "permanent"},
      {{"start", "c", "--type", "counter", "--executor", "foo"}, "pooled"},
      {{"start", "has space", "--type", "counter"}, "has space"},
      {{"start", std::string(256, 'x'), "--type", "counter"}, "255"},
      {{"stop"}, "stop"},
      {{"stop", "--prefix", ""}, "--prefix"},
      {{"nodes", "--connect", "tcp://127.0.0.1"}, "port"},
      {{"nodes", "--connect", "tcp://127.0.0.1:99999"}, "port"},
      {{"call", "c", "get", "not json"}, "JSON"},
      {{"metadata", "c", "novalue"}, "novalue"},
      {{"nodes", "--timeout", "soon"}, "soon"},
      {{"nodes", "--connect", "localhost"}, "localhost"},
  };
  for (const auto& mistake : mistakes) {
    const auto& named = mistake.second;
    auto answer = run_hubctl(mistake.first);
    CHECK_MESSAGE(answer.exit == live::usage, named, " ended ", answer.exit);
    CHECK_MESSAGE(answer.err.find(named) != std::string::npos, "'", answer.err, "' does not name ", named);
  }
}

TEST_CASE("with --json wrong usage is told on stdout too") {
  for (const auto& arguments :
       {std::vector<std::string>{"--json", "frobnicate"}, std::vector<std::string>{"stop", "--json"}}) {
    auto answer = run_hubctl(arguments);
    CHECK(answer.exit == live::usage);
    CHECK(answer.json().at("code") == "invalid");
  }
}

TEST_CASE("a broken line of a specs file is named by its number") {
  live::TempDir directory;
  auto file = directory.write("specs.jsonl", "{\"id\":\"a\",\"type\":\"counter\"}\n{\"id\":\n");
  auto answer = run_hubctl({"start", "--file", file});
  CHECK(answer.exit == live::usage);
  CHECK_MESSAGE(answer.err.find(file + ":2") != std::string::npos, answer.err);
}

TEST_CASE("nobody answering ends with exit code 3") {
  CHECK(run_hubctl({"nodes", "--connect", "tcp://127.0.0.1:1", "--timeout", "300ms"}).exit ==
        live::nobody_answered);
  CHECK(run_hubctl(
            {"nodes", "--connect", "tcp://127.0.0.1:1,tcp://127.0.0.1:2", "--timeout", "300ms", "--json"})
            .exit == live::nobody_answered);
}

TEST_CASE("every verb has a help text of its own") {
  auto help = run_hubctl({"--help"});
  CHECK(help.exit == live::done);
  for (const std::string verb : {"nodes", "list", "lookup", "tag", "dump", "start", "stop", "call", "cast",
                                 "metadata", "restart", "status", "digest", "keygen"}) {
    CHECK_MESSAGE(help.out.find("\n  " + verb) != std::string::npos, verb);
    auto own = run_hubctl({verb, "--help"});
    CHECK(own.exit == live::done);
    CHECK(own.out.find("hubctl " + verb) == 0);
  }
}

TEST_CASE("keygen writes a secret file that only its owner reads, and never writes over one") {
  live::TempDir directory;
  const auto dir = directory.path().string();
  REQUIRE(run_hubctl({"keygen", "node-a", "--dir", dir}).exit == live::done);
  std::size_t secrets = 0;
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    struct stat info {};
    REQUIRE(::stat(entry.path().c_str(), &info) == 0);
    ++files;
    if ((info.st_mode & 0777) == 0600) ++secrets;
  }
  CHECK(files == 2);
  CHECK(secrets == 1);
  CHECK(run_hubctl({"keygen", "node-a", "--dir", dir}).exit != live::done);
}

TEST_CASE("keygen makes the folder it writes to, for its owner alone") {
  live::TempDir directory;
  const auto dir = (directory.path() / "new" / "keys").string();
  REQUIRE(run_hubctl({"keygen", "ops", "--dir", dir}).exit == live::done);
  struct stat info {};
  REQUIRE(::stat(dir.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
  CHECK(std::filesystem::exists(dir + "/ops.key"));
}

TEST_CASE("a public key in the place of a key pair is named as what it is") {
  live::TempDir keys;
  REQUIRE(run_hubctl({"keygen", "ops", "--dir", keys.path().string()}).exit == live::done);
  auto answer = run_hubctl({"nodes", "--key", (keys.path() / "ops.pub").string()});
  CHECK(answer.exit == live::usage);
  CHECK_MESSAGE(answer.err.find("this is a public key") != std::string::npos, answer.err);
}

}  // namespace hubctl_usage_test
