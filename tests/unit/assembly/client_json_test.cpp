#include "transport/assembly/client_json.hpp"

#include <doctest/doctest.h>

#include "processhub/message.hpp"

namespace client_json_test {

using namespace processhub;
using namespace std::chrono_literals;

namespace {

struct Args {
  std::int64_t start = 0;
  PROCESSHUB_FIELDS(start)
};

}  // namespace

TEST_CASE("client: everything that a spec says arrives at the node") {
  ChildSpec spec{.id = "c", .type = "counter", .args = Args{5}};
  spec.restart = Restart::transient;
  spec.executor = Executor::dedicated;
  spec.metadata = {{"owner", "ops"}};
  spec.tag = "red";
  spec.max_restarts = 3;
  spec.max_seconds = 4s;
  spec.shutdown_timeout = 250ms;
  spec.requires_role = "gpu";
  spec.nodes = {"a", "b"};
  const auto json = assembly::json_of_specs({spec});
  REQUIRE(json);
  const auto arrived = runtime::spec_of(runtime::json_of(runtime::bytes_of(json->at(0))), 0);
  CHECK(arrived.id == spec.id);
  CHECK(arrived.type == spec.type);
  CHECK(arrived.args == spec.args);
  CHECK(arrived.restart == spec.restart);
  CHECK(arrived.executor == spec.executor);
  CHECK(arrived.metadata == spec.metadata);
  CHECK(arrived.tag == spec.tag);
  CHECK(arrived.max_restarts == spec.max_restarts);
  CHECK(arrived.max_seconds == spec.max_seconds);
  CHECK(arrived.shutdown_timeout == spec.shutdown_timeout);
  CHECK(arrived.requires_role == spec.requires_role);
  CHECK(arrived.nodes == spec.nodes);
}

TEST_CASE("client: arguments that are no msgpack are refused with the child's id") {
  ChildSpec spec{.id = "c", .type = "counter"};
  spec.args = Payload::raw(Bytes("\xc1", 1));
  const auto json = assembly::json_of_specs({spec});
  REQUIRE_FALSE(json);
  CHECK(json.error().code == ErrorCode::invalid);
  CHECK(json.error().message.find("child 'c'") == 0);
}

}  // namespace client_json_test
