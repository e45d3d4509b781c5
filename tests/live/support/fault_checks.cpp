#include "tests/live/support/fault_checks.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace live {
namespace {

bool runs_once_in(const Json& child, const Names& side) {
  const auto& instances = child.at("instances");
  return instances.size() == 1 && instances[0].at("state") == "running" &&
         std::count(side.begin(), side.end(), instances[0].at("node").get<std::string>()) == 1;
}

std::string told(const ProcessCluster& cluster, const Names& side) {
  std::string out;
  for (const auto& name : side) {
    const auto list = cluster.query(name, {"list"});
    out += "\n" + name + " sees " + cluster.query(name, {"nodes", "--all"}).dump();
    out += "\n  lists " + std::to_string(list.size()) + " children";
    int shown = 0;
    for (const auto& child : list)
      if (!runs_once_in(child, side) && ++shown <= 5) out += "\n  not running once: " + child.dump();
    const auto status = cluster.query(name, {"status"});
    out += "\n  digest " + (status.is_object() ? status.at("digest").dump() : "none");
    out += "\n" + cluster.log(name);
  }
  return out;
}

}  // namespace

bool sees_only(const ProcessCluster& cluster, const Names& side) {
  return std::all_of(side.begin(), side.end(), [&](const std::string& asked) {
    Names seen;
    for (const auto& node : cluster.query(asked, {"nodes"})) {
      if (node.at("state") != "up") return false;
      seen.push_back(node.at("name"));
    }
    return std::is_permutation(seen.begin(), seen.end(), side.begin(), side.end());
  });
}

std::string state_of(const ProcessCluster& cluster, const std::string& asked, const std::string& node) {
  for (const auto& other : cluster.query(asked, {"nodes", "--all"}))
    if (other.at("name") == node) return other.at("state");
  return {};
}

bool is_quiet_component(const ProcessCluster& cluster, const Names& side, std::size_t count) {
  if (!sees_only(cluster, side)) return false;
  Json digest;
  for (const auto& name : side) {
    const auto status = cluster.query(name, {"status"});
    if (!status.is_object() || status.at("children_total") != count) return false;
    if (digest.is_null()) digest = status.at("digest");
    if (digest != status.at("digest")) return false;
  }
  return std::all_of(side.begin(), side.end(), [&](const std::string& name) {
    const auto list = cluster.query(name, {"list"});
    return list.is_array() && list.size() == count &&
           std::all_of(list.begin(), list.end(),
                       [&](const Json& child) { return runs_once_in(child, side); });
  });
}

bool is_quiet(const ProcessCluster& cluster, std::size_t count) {
  return is_quiet_component(cluster, cluster.names(), count);
}

void require_quiet(const ProcessCluster& cluster, const Names& side, std::size_t count) {
  if (!eventually([&] { return is_quiet_component(cluster, side, count); }))
    FAIL("no quiet component: ", told(cluster, side));
}

void require_quiet(const ProcessCluster& cluster, std::size_t count) {
  require_quiet(cluster, cluster.names(), count);
}

void start_counters(const ProcessCluster& cluster, const std::string& node, const std::string& prefix,
                    std::size_t count) {
  const auto answer =
      cluster.ask(node, {"start", prefix, "--count", std::to_string(count), "--type", "counter"});
  REQUIRE_MESSAGE(answer.exit == done, answer.out.substr(0, 1000), answer.err);
}

void check_nobody_died(const ProcessCluster& cluster) {
  for (const auto& name : cluster.names()) {
    const auto log = cluster.log(name);
    CHECK_MESSAGE(log.find(" is down: ") == std::string::npos, name, " wrote:\n", log);
  }
}

}  // namespace live
