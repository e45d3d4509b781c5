#include <doctest/doctest.h>

#include "processhub/hooks.hpp"

namespace processhub::hook_text_test {
namespace {

TEST_CASE("hook text: an event is one line that names who and why") {
  const auto node = NodeId::of("a", 5);
  CHECK(to_string(hook::PostClusterJoin{node}) == "post_cluster_join a/5");
  CHECK(to_string(hook::PostClusterLeave{node, true}) == "post_cluster_leave a/5 left");
  CHECK(to_string(hook::PostClusterLeave{node, false}) == "post_cluster_leave a/5 is down");
  CHECK(to_string(hook::PreRedistribution{node, true}) == "pre_redistribution because a/5 joined");
  CHECK(to_string(hook::ChildrenMigrated{node, {"c", "d"}}) == "children_migrated to a/5: c d");
  CHECK(to_string(hook::PreChildrenRedistribution{{}, node, {"c"}}) ==
        "pre_children_redistribution from nobody to a/5: c");
  CHECK(to_string(hook::ForwardedMigration{node, {"c"}}) == "forwarded_migration to a/5: c");
  CHECK(to_string(hook::PostChildrenStart{{"c", "d"}, {"d"}}) == "post_children_start c d; failed: d");
  CHECK(to_string(hook::QuorumLost{{node}}) == "quorum_lost with a/5");
  CHECK(to_string(hook::ChildFailed{"c", "it threw"}) == "child_failed c: it threw");
  CHECK(to_string(hook::DeadLetter{"c", "add", "no such child"}) == "dead_letter add to c: no such child");
  CHECK(to_string(hook::HubShutdown{}) == "hub_shutdown");
}

TEST_CASE("hook text: of many ids the first are named") {
  CHECK(to_string(hook::ChildrenStarted{{"1", "2", "3", "4", "5", "6", "7"}}) ==
        "children_started 1 2 3 4 5 and 2 more");
}

}  // namespace
}  // namespace processhub::hook_text_test
