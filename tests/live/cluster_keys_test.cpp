// A cluster with CURVE keys: those it knows are let in, others are not, hubctl included.
#include <doctest/doctest.h>

#include "tests/live/support/process_cluster.hpp"

namespace cluster_keys_test {

using live::ProcessCluster;

namespace {

/// Two nodes that share a pair, and an allow-list folder that knows `ops`.
struct LockedCluster {
  live::TempDir keys{};
  ProcessCluster cluster{};
  LockedCluster() {
    std::filesystem::create_directory(keys.path() / "allow");
    for (const std::string name : {"cluster", "ops", "stranger"}) {
      REQUIRE(live::run_hubctl({"keygen", name, "--dir", keys.path().string()}).exit == live::done);
    }
    std::filesystem::copy(file("ops.pub"), file("allow/ops.pub"));
    cluster.set_flags({"--secret_key_file", file("cluster.key"), "--allow_dir", file("allow")},
                      with("ops.key"));
    cluster.start(std::vector<std::string>{"a", "b"});
  }
  std::string file(const std::string& name) const { return (keys.path() / name).string(); }
  std::vector<std::string> with(const std::string& key) const {
    return {"--key", file(key), "--server-key", file("cluster.pub")};
  }
  int exit_with(std::vector<std::string> flags) const {
    flags.insert(flags.end(), {"--connect", cluster.endpoint("a"), "--timeout", "2s", "--json", "nodes"});
    return live::run_hubctl(std::move(flags)).exit;
  }
};

}  // namespace

TEST_CASE("nodes with the shared key pair form a cluster and hubctl enters with a listed key only") {
  LockedCluster locked;
  REQUIRE(locked.cluster.ask("a", {"start", "c", "--type", "counter"}).exit == live::done);
  CHECK(locked.cluster.query("b", {"call", "c", "add", R"({"by": 3})"}) == live::Json{{"total", 3}});

  CHECK(locked.exit_with(locked.with("ops.key")) == live::done);
  CHECK(locked.exit_with({"--key", locked.file("cluster.key")}) == live::done);
  CHECK(locked.exit_with(locked.with("stranger.key")) == live::nobody_answered);
  CHECK(locked.exit_with({}) == live::nobody_answered);
}

TEST_CASE("a node without the key does not get in and disturbs nobody") {
  LockedCluster locked;
  ProcessCluster other(locked.cluster.hub_id());
  other.start("z", {"--seed", locked.cluster.endpoint("a")});
  CHECK(live::eventually([&] { return other.query("z", {"nodes"}).size() == 1; }));
  CHECK(locked.cluster.all_see({"a", "b"}));
}

TEST_CASE("a key file that others can read is refused by name") {
  live::TempDir keys;
  REQUIRE(live::run_hubctl({"keygen", "open", "--dir", keys.path().string()}).exit == live::done);
  const auto file = keys.path() / "open.key";
  std::filesystem::permissions(file, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  auto answer = live::run_hubctl({"nodes", "--connect", "tcp://127.0.0.1:1", "--key", file.string()});
  CHECK(answer.exit == live::usage);
  CHECK(answer.err.find(file.string()) != std::string::npos);
}

}  // namespace cluster_keys_test
