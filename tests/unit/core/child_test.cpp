#include "processhub/child.hpp"

#include <doctest/doctest.h>

#include "processhub/hub.hpp"

namespace processhub::child_test {
namespace {

ChildSpec good() { return {.id = "c1", .type = "counter"}; }

void refused(const ChildSpec& spec, std::string_view field) {
  const auto checked = validate(spec);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().code == ErrorCode::invalid);
  CHECK(checked.error().message.find(field) != std::string::npos);
}

TEST_CASE("child spec: an id and a type are enough") { CHECK(validate(good())); }

TEST_CASE("child spec: every mistake is refused with the name of its field") {
  auto spec = good();
  spec.id = "";
  refused(spec, "id");
  spec.id = "two words";
  refused(spec, "id");
  spec.id = std::string(256, 'x');
  refused(spec, "id");
  spec = good();
  spec.type = "";
  refused(spec, "type");
  spec = good();
  spec.tag = "a\nb";
  refused(spec, "tag");
  spec = good();
  spec.metadata[""] = "x";
  refused(spec, "metadata");
  spec.metadata = {{"k", std::string(70'000, 'x')}};
  refused(spec, "metadata");
  spec = good();
  spec.args = Payload::raw(Bytes((16U << 20) + 1, 'x'));
  refused(spec, "args");
  spec = good();
  spec.max_seconds = std::chrono::milliseconds(0);
  refused(spec, "max_seconds");
  spec = good();
  spec.shutdown_timeout = std::chrono::milliseconds(-1);
  refused(spec, "shutdown_timeout");
}

TEST_CASE("child spec: the error names the child, without its control characters") {
  auto spec = good();
  spec.type = "a b";
  CHECK(validate(spec).error().message.rfind("child 'c1': type", 0) == 0);
  spec.id = "a\x1b[2J";
  CHECK(validate(spec).error().message.find('\x1b') == std::string::npos);
}

TEST_CASE("start result: ids, nodes and errors are those of its children") {
  const auto a = NodeId::of("a", 1);
  const auto b = NodeId::of("b", 1);
  StartResult result;
  result.children = {{"one", {Instance{{b, 1}, Role::active, InstanceState::running, {}}}, {}},
                     {"two", {Instance{{a, 1}, Role::active, InstanceState::running, {}}}, {}},
                     {"three", {}, Error{ErrorCode::start_failed, "no such type"}}};
  CHECK(result.ids() == std::vector<std::string>{"one", "two"});
  CHECK(result.nodes() == std::vector<std::string>{"a", "b"});
  REQUIRE(result.errors().size() == 1);
  CHECK(result.first()->id == "one");
}

template <class E>
void all_named(std::initializer_list<E> values) {
  for (const auto value : values) CHECK(to_string(value) != "?");
}

TEST_CASE("enumerations: every value has a name and a foreign one is a question mark") {
  for (int code = 1; code <= static_cast<int>(ErrorCode::discarded); ++code)
    all_named({static_cast<ErrorCode>(code)});
  all_named({Restart::permanent, Restart::transient, Restart::temporary});
  all_named({Executor::pooled, Executor::dedicated});
  all_named({Role::none, Role::active, Role::passive});
  all_named({InstanceState::starting, InstanceState::running, InstanceState::moving, InstanceState::stopping,
             InstanceState::restarting, InstanceState::failed, InstanceState::released});
  all_named({StartReason::first, StartReason::restart, StartReason::takeover, StartReason::move});
  all_named({StopReason::user, StopReason::move, StopReason::conflict, StopReason::shutdown,
             StopReason::crash, StopReason::no_quorum});
  all_named({NodeState::joining, NodeState::up, NodeState::suspect, NodeState::indirect, NodeState::leaving,
             NodeState::down, NodeState::left});
  CHECK(to_string(static_cast<ErrorCode>(200)) == "?");
}

}  // namespace
}  // namespace processhub::child_test
