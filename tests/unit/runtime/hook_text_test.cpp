#include "core/runtime/hook_text.hpp"

#include <doctest/doctest.h>

namespace processhub::runtime {
namespace {

TEST_CASE("hook text: an event is one line that names who and why") {
  const auto node = NodeId::of("a", 5);
  CHECK(text_of(hook::PostClusterJoin{node}) == "post_cluster_join a/5");
  CHECK(text_of(hook::PostClusterLeave{node, true}) == "post_cluster_leave a/5 left");
  CHECK(text_of(hook::PostClusterLeave{node, false}) == "post_cluster_leave a/5 is down");
  CHECK(text_of(hook::PreRedistribution{node, true}) == "pre_redistribution because a/5 joined");
  CHECK(text_of(hook::ChildrenMigrated{node, {"c", "d"}}) == "children_migrated to a/5: c d");
  CHECK(text_of(hook::PreChildrenRedistribution{{}, node, {"c"}}) ==
        "pre_children_redistribution from nobody to a/5: c");
  CHECK(text_of(hook::ForwardedMigration{node, {"c"}}) == "forwarded_migration to a/5: c");
  CHECK(text_of(hook::PostChildrenStart{{"c", "d"}, {"d"}}) == "post_children_start c d; failed: d");
  CHECK(text_of(hook::QuorumLost{{node}}) == "quorum_lost with a/5");
  CHECK(text_of(hook::ChildFailed{"c", "it threw"}) == "child_failed c: it threw");
  CHECK(text_of(hook::DeadLetter{"c", "add", "no such child"}) == "dead_letter add to c: no such child");
  CHECK(text_of(hook::HubShutdown{}) == "hub_shutdown");
}

TEST_CASE("hook text: of many ids the first are named") {
  CHECK(text_of(hook::ChildrenStarted{{"1", "2", "3", "4", "5", "6", "7"}}) ==
        "children_started 1 2 3 4 5 and 2 more");
}

}  // namespace
}  // namespace processhub::runtime
