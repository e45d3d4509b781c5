#include "tests/live/support/quorum_checks.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace live {

bool without_quorum(const ProcessCluster& cluster, const Names& side) {
  return std::all_of(side.begin(), side.end(), [&](const std::string& name) {
    const auto status = cluster.query(name, {"status"});
    if (!status.is_object() || status.at("partitioned") != true || status.at("locked") != true) return false;
    const auto list = cluster.query(name, {"list"});
    return std::all_of(list.begin(), list.end(), [&](const Json& child) {
      const auto& instances = child.at("instances");
      return std::none_of(instances.begin(), instances.end(), [&](const Json& i) {
        return i.at("state") == "running" && std::find(side.begin(), side.end(), i.at("node")) != side.end();
      });
    });
  });
}

void require_without_quorum(const ProcessCluster& cluster, const Names& side) {
  REQUIRE_MESSAGE(eventually([&] { return without_quorum(cluster, side); }),
                  cluster.query(side.front(), {"status"}).dump(), cluster.log(side.front()));
}

void check_start_refused(const ProcessCluster& cluster, const std::string& node) {
  const auto refused = cluster.ask(node, {"start", "late", "--type", "counter"});
  CHECK(refused.exit == said_no);
  CHECK(refused.err.find("partitioned") != std::string::npos);
}

}  // namespace live
