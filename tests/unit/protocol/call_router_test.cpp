// Calls at the core: each ends once, at its own deadline and no other.
#include <doctest/doctest.h>

#include <map>
#include <utility>

#include "core/protocol/hub_core.hpp"
#include "strategies/builtin.hpp"

namespace processhub::protocol::call_router_test {
namespace {

using std::chrono::milliseconds;

/// A node whose seed never answers: it stays joining for join_timeout, and calls wait.
struct Joining {
  HubConfig config = make_config();
  HubCore core{Identity{NodeId::of("a", 1), "tcp://127.0.0.1:1", "tcp://127.0.0.1:2", 7}, config,
               std::move(*builtin_strategies().build(config))};
  Effects fx{};
  std::map<Token, Time> timed_out{};

  Joining() { core.start(Time(0), fx); }
  static HubConfig make_config() {
    HubConfig c;
    c.hub_id = "h";
    c.name = "a";
    c.listen = "tcp://127.0.0.1:1";
    c.seeds = {"tcp://127.0.0.1:3"};
    c.join_timeout = std::chrono::hours(1);
    c.stall_limit = std::chrono::hours(1);
    return c;
  }
  void call(Token token, Time now, Duration timeout) {
    core.step(now, event::CallChild{token, "c", "m", {}, timeout, false}, fx);
  }
  void run(Time now) {
    core.run(now, fx);
    for (auto& e : std::exchange(fx, {})) {
      const auto* done = std::get_if<effect::CompleteCall>(&e);
      if (done == nullptr) continue;
      REQUIRE_FALSE(done->result);
      CHECK(done->result.error().code == ErrorCode::timeout);
      CHECK(timed_out.emplace(done->token, now).second);
    }
  }
};

TEST_CASE("call router: every call ends at its own deadline, once") {
  Joining node;
  for (Token token = 1; token <= 100; ++token) node.call(token, milliseconds(token / 10), milliseconds(50));
  node.call(200, milliseconds(10), milliseconds(20));  // a shorter one behind longer ones
  for (Time now = milliseconds(10); now <= milliseconds(100); now += milliseconds(1)) node.run(now);
  CHECK(node.timed_out.size() == 101);
  for (Token token = 1; token <= 100; ++token)
    CHECK(node.timed_out[token] == milliseconds(50) + milliseconds(token / 10));
  CHECK(node.timed_out[200] == milliseconds(30));
}

TEST_CASE("call router: the loop may sleep until the first deadline of an open call") {
  Joining node;
  node.call(1, milliseconds(1), milliseconds(5));
  CHECK(node.core.next_deadline() <= milliseconds(6));
  node.run(milliseconds(6));
  CHECK(node.timed_out.size() == 1);
}

}  // namespace
}  // namespace processhub::protocol::call_router_test
