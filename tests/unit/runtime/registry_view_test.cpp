#include "core/runtime/registry_view.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace processhub::runtime::registry_view_test {
namespace {

const NodeId kHere = NodeId::of("here", 1);
const NodeId kThere = NodeId::of("there", 1);

Instance instance(NodeId node, std::uint64_t serial, Role role = Role::active,
                  InstanceState state = InstanceState::running) {
  return {{node, serial}, role, state, {1, static_cast<std::uint32_t>(serial), node}};
}

protocol::RegistryChange change(const std::string& id, std::vector<Instance> instances,
                                std::string tag = "") {
  ChildSpec spec{.id = id, .type = "counter"};
  spec.tag = std::move(tag);
  spec.metadata = {{"from", "spec"}};
  protocol::ChildRecord record;
  record.spec = std::make_shared<protocol::SharedSpec>(std::move(spec));
  record.instances = std::move(instances);
  std::sort(record.instances.begin(), record.instances.end(),
            [](const Instance& a, const Instance& b) { return b.generation < a.generation; });
  return {id, record};
}

void put(RegistryView& view, protocol::RegistryChange one) {
  std::vector<protocol::RegistryChange> changes;
  changes.push_back(std::move(one));
  view.apply(std::move(changes));
}

std::vector<std::string> ids_of(const std::vector<ChildInfo>& children) {
  std::vector<std::string> out;
  for (const auto& child : children) out.push_back(child.spec.id);
  return out;
}

TEST_CASE("registry view: an id that was never there is not found") {
  RegistryView view;
  CHECK_FALSE(view.active_of("a"));
  CHECK_FALSE(view.lookup("a"));
  CHECK(view.instances("a").empty());
  CHECK(view.list().empty());
  CHECK(view.size() == 0);
}

TEST_CASE("registry view: the active running instance with the highest generation answers active_of") {
  RegistryView view;
  put(view, change("a", {instance(kHere, 1), instance(kThere, 3), instance(kHere, 9, Role::passive)}));
  REQUIRE(view.active_of("a"));
  CHECK(*view.active_of("a") == WorkerRef{kThere, 3});
  CHECK(view.instances("a").size() == 3);
}

TEST_CASE("registry view: a child without a running active instance is known and has no active one") {
  RegistryView view;
  put(view, change("a", {instance(kHere, 1, Role::active, InstanceState::restarting)}));
  CHECK_FALSE(view.active_of("a"));
  CHECK(view.lookup("a"));
}

TEST_CASE("registry view: a change replaces, a removal removes, and the id can come back") {
  RegistryView view;
  put(view, change("a", {instance(kHere, 1)}));
  put(view, change("a", {instance(kHere, 2)}));
  CHECK(view.size() == 1);
  CHECK(view.active_of("a")->serial == 2);
  put(view, {"a", std::nullopt});
  CHECK_FALSE(view.active_of("a"));
  CHECK(view.size() == 0);
  put(view, change("a", {instance(kHere, 3)}));
  CHECK(view.active_of("a")->serial == 3);
}

TEST_CASE("registry view: current metadata wins over the metadata of the spec") {
  RegistryView view;
  auto one = change("a", {});
  one.record->changes =
      std::make_shared<protocol::ChildChanges>(protocol::ChildChanges{Metadata{{"from", "update"}}, "why"});
  put(view, std::move(one));
  CHECK(view.lookup("a")->spec.metadata == Metadata{{"from", "update"}});
  CHECK(view.lookup("a")->failure == "why");
}

TEST_CASE("registry view: lists are sorted by id and filtered by node and by tag") {
  RegistryView view;
  put(view, change("c", {instance(kThere, 1)}, "red"));
  put(view, change("a", {instance(kHere, 2)}, "red"));
  put(view, change("b", {instance(kHere, 3)}));
  CHECK(ids_of(view.list()) == std::vector<std::string>{"a", "b", "c"});
  CHECK(ids_of(view.list(kHere)) == std::vector<std::string>{"a", "b"});
  CHECK(ids_of(view.by_tag("red")) == std::vector<std::string>{"a", "c"});
}

TEST_CASE("registry view: the dump has one line per instance and one for a child without any") {
  RegistryView view;
  put(view, change("b", {}));
  put(view, change("a", {instance(kHere, 1), instance(kThere, 2, Role::passive)}, "red"));
  CHECK(view.dump() ==
        "a type=counter tag=red ref=there/1/2 role=passive state=running generation=1.2@there/1\n"
        "a type=counter tag=red ref=here/1/1 role=active state=running generation=1.1@here/1\n"
        "b type=counter not running\n");
}

TEST_CASE("registry view: it grows over many ids and forgets removed ones") {
  RegistryView view;
  for (int round = 0; round < 5; ++round) {
    for (std::uint64_t i = 1; i <= 3000; ++i) {
      put(view, change("child-" + std::to_string(round) + "-" + std::to_string(i), {instance(kHere, i)}));
    }
    CHECK(view.size() == 3000);
    CHECK(view.active_of("child-" + std::to_string(round) + "-2999")->serial == 2999);
    for (std::uint64_t i = 1; i <= 3000; ++i) {
      put(view, {"child-" + std::to_string(round) + "-" + std::to_string(i), std::nullopt});
    }
    CHECK(view.size() == 0);
  }
  CHECK(view.list().empty());
}

/// Every value a reader can meet is checkable: child-i only ever has serials that are i modulo 1000.
void read_until(const std::atomic<bool>& stop, const RegistryView& view, std::atomic<int>& wrong) {
  while (!stop.load()) {
    for (std::uint64_t i = 0; i < 1000; ++i) {
      const auto id = "child-" + std::to_string(i);
      if (auto ref = view.active_of(id); ref && ref->serial % 1000 != i) ++wrong;
      if (auto info = view.lookup(id); info && info->spec.id != id) ++wrong;
    }
    for (const auto& child : view.list()) wrong += child.instances.size() == 1 ? 0 : 1;
  }
}

TEST_CASE("registry view: readers meet only whole values while the writer replaces, removes and grows") {
  RegistryView view;
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::thread first([&] { read_until(stop, view, wrong); });
  std::thread second([&] { read_until(stop, view, wrong); });
  for (std::uint64_t round = 1; round <= 20; ++round) {
    std::vector<protocol::RegistryChange> changes;
    for (std::uint64_t i = 0; i < 1000; ++i) {
      const auto id = "child-" + std::to_string(i);
      if ((i + round) % 7 == 0) {
        changes.push_back({id, std::nullopt});
      } else {
        changes.push_back(change(id, {instance(kHere, round * 1000 + i)}));
      }
      changes.push_back(
          change("extra-" + std::to_string(round) + "-" + std::to_string(i), {instance(kHere, 1)}));
    }
    view.apply(std::move(changes));
  }
  stop = true;
  first.join();
  second.join();
  CHECK(wrong == 0);
}

struct Tracked {
  explicit Tracked(int& count) : count_(count) {}
  ~Tracked() { ++count_; }
  Tracked(const Tracked&) = delete;
  Tracked& operator=(const Tracked&) = delete;
  int& count_;
};

TEST_CASE("read section: what was unlinked while someone reads is freed after the section ends") {
  int freed = 0;
  Retired<std::unique_ptr<Tracked>> retired;
  {
    const ReadSection reading;
    retired.add(std::make_unique<Tracked>(freed));
    retired.reclaim();
    CHECK(freed == 0);
    CHECK(retired.waiting() == 1);
  }
  retired.reclaim();
  CHECK(freed == 1);
  CHECK(retired.waiting() == 0);
}

TEST_CASE("read section: a reader that came after the unlinking does not hold it") {
  int freed = 0;
  Retired<std::unique_ptr<Tracked>> retired;
  retired.add(std::make_unique<Tracked>(freed));
  end_epoch();
  retired.reclaim();
  CHECK(freed == 1);
  const ReadSection reading;
  retired.add(std::make_unique<Tracked>(freed));
  retired.reclaim();
  CHECK(freed == 1);
}

}  // namespace
}  // namespace processhub::runtime::registry_view_test
