// A real node whose cluster-wide options differ from those of the cluster that it wants to join.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/live/support/process_cluster.hpp"

namespace options_differ_test {

using live::eventually;
using live::ProcessCluster;

TEST_CASE("a node with other options is refused, and both ends name the option, both values and both nodes") {
  ProcessCluster cluster;
  cluster.set_flags({"--redundancy", "replication", "--redundancy.factor", "2"}, {});
  cluster.start(std::vector<std::string>{"a", "b"});
  REQUIRE(eventually([&] { return cluster.all_see({"a", "b"}); }));
  const auto join = [&](const std::vector<std::string>& flags) {
    std::vector<std::string> command = {live::program_path("hubd"),
                                        "--name",
                                        "other",
                                        "--hub.id",
                                        cluster.hub_id(),
                                        "--listen",
                                        "tcp://127.0.0.1:0",
                                        "--seed",
                                        cluster.endpoint("a")};
    command.insert(command.end(), flags.begin(), flags.end());
    const auto answer = live::run_program(command);
    CHECK(answer.exit == 1);
    return answer.err;
  };
  const auto names = [](const std::string& text, const std::string& key, const std::string& here,
                        const std::string& there) {
    const auto begin = text.find("cluster-wide options differ: " + key + " is '" + here + "' on a/");
    return begin != std::string::npos && text.find(", '" + there + "' on other/", begin) != std::string::npos;
  };

  const auto factor = join({"--redundancy", "replication", "--redundancy.factor", "3"});
  CHECK_MESSAGE(names(factor, "redundancy.factor", "2", "3"), factor);
  CHECK_MESSAGE(eventually([&] { return names(cluster.log("a"), "redundancy.factor", "2", "3"); }),
                cluster.log("a"));
  const auto kind = join({});
  CHECK_MESSAGE(names(kind, "redundancy", "replication", "singularity"), kind);

  cluster.start("c");
  CHECK(eventually([&] { return cluster.all_see({"a", "b", "c"}); }));
}

}  // namespace options_differ_test
