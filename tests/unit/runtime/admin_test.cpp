#include "core/runtime/admin.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "core/protocol/report.hpp"
#include "processhub/message.hpp"

namespace processhub::runtime::admin_test {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

/// A hub that remembers what it was asked and answers what it was told to.
class FakeHub final : public AdminHub {
 public:
  Future<StartResult> start_children(std::vector<ChildSpec> specs, StartOptions options) override {
    started = std::move(specs);
    start_options = options;
    return Future<StartResult>(start_result);
  }
  Future<StopResult> stop_children(protocol::event::Select s, std::vector<std::string> values,
                                   StopOptions) override {
    select = s;
    stopped = std::move(values);
    return Future<StopResult>(StopResult{CallStatus::ok, {{"c1", {"a"}, {}}}});
  }
  Future<Bytes> call_raw(std::string_view, std::string_view message, Bytes body,
                         std::chrono::milliseconds timeout, bool named) override {
    asked = Json{
        {"message", message}, {"body", Json::from_msgpack(body)}, {"ms", timeout.count()}, {"named", named}};
    return Future<Bytes>(call_result);
  }
  Result<void> cast_raw(std::string_view, std::string_view, Bytes) override { return cast_result; }
  Future<void> update_metadata(std::string, Metadata m) override {
    child.spec.metadata = std::move(m);
    return Future<void>(Result<void>());
  }
  Future<void> migrate(std::string id, std::string node, std::chrono::milliseconds timeout) override {
    asked = Json{{"id", id}, {"node", node}, {"ms", timeout.count()}};
    return Future<void>(restart_result);
  }
  Future<void> reset_cluster_size() override {
    asked = "reset";
    return Future<void>(restart_result);
  }
  Future<void> restart_child(std::string id) override {
    restarted.push_back(std::move(id));
    return Future<void>(restart_result);
  }
  std::optional<ChildInfo> lookup(std::string_view id) const override {
    return id == child.spec.id ? std::optional(child) : std::nullopt;
  }
  std::vector<ChildInfo> list(Scope scope) const override {
    return scope == Scope::global ? std::vector{child} : std::vector<ChildInfo>{};
  }
  std::vector<ChildInfo> by_tag(std::string_view tag) const override {
    return tag == child.spec.tag ? std::vector{child} : std::vector<ChildInfo>{};
  }
  std::string dump() const override { return "all of it\n"; }
  std::vector<NodeInfo> nodes(bool, bool include_down) const override {
    std::vector<NodeInfo> out{{NodeId::of("a", 5), "tcp://127.0.0.1:7001", NodeState::up, {}, 1.0}};
    if (include_down) out.push_back({NodeId::of("b", 6), "tcp://127.0.0.1:7002", NodeState::down, {}, 1.0});
    return out;
  }
  HubStatus status() const override {
    HubStatus s;
    s.node = NodeId::of("a", 5);
    s.hub_id = "orders";
    s.children_local = 1;
    s.children_total = 2;
    s.digest = 0xabc;
    s.joined = joined;
    return s;
  }

  Metrics metrics() const override { return {NodeId::of("a", 5), "orders", {}, {}}; }
  const Journal& journal() const override { return events; }
  Tap& tap() override { return messages; }
  Future<void> operate(protocol::event::Operation what) override {
    operated.push_back(what);
    return Future<void>(Result<void>());
  }
  Future<std::uint64_t> lock(std::string reason, int level) override {
    asked = Json{{"reason", reason}, {"level", level}};
    return Future<std::uint64_t>(Result<std::uint64_t>(7));
  }
  Future<void> unlock(std::uint64_t token) override {
    asked = token;
    return Future<void>(Result<void>());
  }

  std::vector<protocol::event::Operation> operated{};
  Journal events{};
  Tap messages{};
  protocol::Report report = [] {
    protocol::Report r;
    r.moves = {{"c1", NodeId::of("a", 5), NodeId::of("b", 6), "sending", 1500ms}};
    r.locks = {{"user", "an operator", 10, false, 2s, 7}};
    r.waiting = {{0, 3, 1s}};
    r.frozen = true;
    r.child.known = true;
    r.child.owners = {"b"};
    r.child.waits = "redistribution is frozen";
    return r;
  }();
  ChildInfo child{
      {.id = "c1",
       .type = "counter",
       .args = Payload(std::map<std::string, int>{{"start", 5}}),
       .metadata = {{"k", "v"}},
       .tag = "red"},
      {},
      {Instance{{NodeId::of("a", 5), 3}, Role::active, InstanceState::running, {1, 2, NodeId::of("a", 5)}}}};
  std::vector<ChildSpec> started{};
  StartOptions start_options{};
  Result<StartResult> start_result{StartResult{}};
  protocol::event::Select select{};
  std::vector<std::string> stopped{};
  Json asked{};
  Result<Bytes> call_result{Bytes()};
  Result<void> cast_result{};
  Result<void> restart_result{};
  std::vector<std::string> restarted{};
  bool joined = true;
};

struct Answer {
  int code = -1;
  Json body{};
};

Answer ask(FakeHub& hub, std::string_view verb, const Json& args) {
  Answer out;
  Bytes packed;
  Json::to_msgpack(args, nlohmann::detail::output_adapter<char>(packed));
  handle_admin(hub, {1, 1, std::string(verb), packed, std::make_shared<protocol::Report>(hub.report)},
               [&](const AdminReply& reply) {
                 REQUIRE(out.code == -1);
                 out = {reply.code, Json::from_msgpack(reply.body)};
               });
  REQUIRE(out.code != -1);
  return out;
}

const Json kChild = Json::parse(R"({"id":"c1","type":"counter","tag":"red","instances":
  [{"node":"a","ref":"a/5/3","role":"active","state":"running","generation":"1.2@a/5"}]})");

TEST_CASE("admin: nodes have name, incarnation, endpoint and state, down ones only when asked for") {
  FakeHub hub;
  CHECK(ask(hub, "nodes", Json::object()).body ==
        Json::parse(R"([{"name":"a","incarnation":5,"endpoint":"tcp://127.0.0.1:7001","state":"up"}])"));
  CHECK(ask(hub, "nodes", {{"all", true}}).body.at(1).at("state") == "down");
}

TEST_CASE("admin: tap gives what passed since the last time, and list narrows") {
  FakeHub hub;
  const Json watch{{"watcher", 5U}, {"child", "c*"}};
  CHECK(ask(hub, "tap", watch).body == Json::parse(R"({"messages":[],"dropped":0})"));
  hub.messages.note(
      {protocol::Hop::received, "call", NodeId::of("b", 1), "c1", "add", {}, 9, "\x01", nullptr});
  hub.messages.note({protocol::Hop::received, "call", NodeId::of("b", 1), "x", "add", {}, 10, {}, nullptr});
  const auto rows = ask(hub, "tap", watch).body.at("messages");
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].at(1) == "received");
  CHECK(rows[0].at(4) == "c1");
  CHECK(rows[0].at(7) == 9);
  CHECK(ask(hub, "tap", Json::object()).code == static_cast<int>(ErrorCode::invalid));
  CHECK(ask(hub, "list", {{"contains", "1"}}).body == Json::array({kChild}));
  CHECK(ask(hub, "list", {{"contains", "2"}}).body == Json::array());
}

TEST_CASE("admin: list, tag and lookup give the agreed shape of a child") {
  FakeHub hub;
  CHECK(ask(hub, "list", Json::object()).body == Json::array({kChild}));
  CHECK(ask(hub, "list", {{"local", true}}).body == Json::array());
  CHECK(ask(hub, "tag", {{"tag", "red"}}).body == Json::array({kChild}));
  auto found = ask(hub, "lookup", {{"id", "c1"}});
  CHECK(found.code == 0);
  CHECK(found.body.at("spec").at("args") == Json{{"start", 5}});
  CHECK(found.body.at("spec").at("restart") == "permanent");
  CHECK(found.body.at("metadata") == Json{{"k", "v"}});
  CHECK(found.body.at("instances") == kChild.at("instances"));
}

TEST_CASE("admin: an unknown child is no_such_child with a text") {
  FakeHub hub;
  for (const auto* verb : {"lookup", "metadata"}) {
    const auto answer = ask(hub, verb, {{"id", "nobody"}});
    CHECK(answer.code == static_cast<int>(ErrorCode::no_such_child));
    CHECK(answer.body.at("code") == "no_such_child");
    CHECK(answer.body.at("error").get<std::string>().find("nobody") != std::string::npos);
  }
}

TEST_CASE("admin: status has the agreed fields, the digest as 16 hex digits") {
  FakeHub hub;
  const auto status = ask(hub, "status", Json::object()).body;
  CHECK(status.at("node") == "a");
  CHECK(status.at("hub") == "orders");
  CHECK(status.at("locked") == false);
  CHECK(status.at("partitioned") == false);
  CHECK(status.at("children_local") == 1);
  CHECK(status.at("children_total") == 2);
  CHECK(status.at("digest") == "0000000000000abc");
  CHECK(status.at("stats").at("dead_letters") == 0);
  CHECK(status.at("version") == PROCESSHUB_VERSION);
  CHECK(status.at("uptime_ms").is_number());
  CHECK(status.at("members") == 1);
  CHECK(ask(hub, "digest", Json()).body == Json{{"digest", "0000000000000abc"}});
  CHECK(ask(hub, "dump", Json()).body == "all of it\n");
}

TEST_CASE("admin: start turns every field of a spec and every option into the call") {
  FakeHub hub;
  const auto answer =
      ask(hub, "start", Json::parse(R"({"timeout_ms":1500,"rollback":true,"check_existing":false,"specs":[
    {"id":"c9","type":"counter","args":{"start":1},"tag":"t","restart":"transient","executor":"dedicated",
     "metadata":{"a":"b"},"max_restarts":3,"max_seconds":2000,"shutdown_timeout":0}]})"));
  CHECK(answer.code == 0);
  CHECK(answer.body.at("status") == "ok");
  CHECK(hub.start_options.timeout == 1500ms);
  CHECK(hub.start_options.on_failure == OnFailure::rollback);
  CHECK_FALSE(hub.start_options.check_existing);
  REQUIRE(hub.started.size() == 1);
  const auto& spec = hub.started[0];
  CHECK(spec.id == "c9");
  CHECK(Json::from_msgpack(spec.args.bytes()) == Json{{"start", 1}});
  CHECK(spec.tag == "t");
  CHECK(spec.restart == Restart::transient);
  CHECK(spec.executor == Executor::dedicated);
  CHECK(spec.metadata == Metadata{{"a", "b"}});
  CHECK(spec.max_restarts == 3);
  CHECK(spec.max_seconds == 2000ms);
  CHECK(spec.shutdown_timeout == 0ms);
}

TEST_CASE("admin: a start that fails for one child answers the code of that child and all results") {
  FakeHub hub;
  StartResult result;
  result.status = CallStatus::partial;
  result.children = {{"c1", hub.child.instances, {}},
                     {"c2", {}, Error{ErrorCode::already_started, "it lives"}}};
  hub.start_result = result;
  const auto answer =
      ask(hub, "start", Json::parse(R"({"specs":[{"id":"c1","type":"t"},{"id":"c2","type":"t"}]})"));
  CHECK(answer.code == static_cast<int>(ErrorCode::already_started));
  CHECK(answer.body.at("code") == "already_started");
  CHECK(answer.body.at("status") == "partial");
  CHECK(answer.body.at("children").at(0).at("instances") == kChild.at("instances"));
  CHECK(answer.body.at("children").at(1).at("error") == "it lives");
}

TEST_CASE("admin: a start that was rolled back answers the cause") {
  FakeHub hub;
  hub.start_result = StartResult{CallStatus::failed,
                                 true,
                                 {{"c1", {}, Error{ErrorCode::rolled_back, "undone"}},
                                  {"c2", {}, Error{ErrorCode::start_failed, "it threw"}}}};
  const auto answer =
      ask(hub, "start", Json::parse(R"({"specs":[{"id":"c1","type":"t"},{"id":"c2","type":"t"}]})"));
  CHECK(answer.code == static_cast<int>(ErrorCode::start_failed));
  CHECK(answer.body.at("error") == "it threw");
}

TEST_CASE("admin: stop takes exactly one of ids, prefix and tag") {
  FakeHub hub;
  CHECK(ask(hub, "stop", {{"ids", {"c1", "c2"}}}).body.at("children").at(0) ==
        Json{{"id", "c1"}, {"nodes", {"a"}}});
  CHECK(hub.stopped == std::vector<std::string>{"c1", "c2"});
  CHECK(ask(hub, "stop", {{"prefix", "c"}}).code == 0);
  CHECK(hub.select == protocol::event::Select::prefix);
  CHECK(ask(hub, "stop", {{"tag", "red"}}).code == 0);
  CHECK(hub.select == protocol::event::Select::tag);
  CHECK(ask(hub, "stop", Json::object()).code == static_cast<int>(ErrorCode::invalid));
  CHECK(ask(hub, "stop", {{"ids", {"c1"}}, {"tag", "red"}}).code == static_cast<int>(ErrorCode::invalid));
}

TEST_CASE("admin: call turns JSON into msgpack and asks for field names, errors carry their code") {
  FakeHub hub;
  Bytes total;
  Json::to_msgpack({{"total", 7}}, nlohmann::detail::output_adapter<char>(total));
  hub.call_result = total;
  const auto answer =
      ask(hub, "call", {{"id", "c1"}, {"message", "add"}, {"body", {{"by", 2}}}, {"timeout_ms", 250}});
  CHECK(answer.body == Json{{"total", 7}});
  CHECK(hub.asked == Json{{"message", "add"}, {"body", {{"by", 2}}}, {"ms", 250}, {"named", true}});
  hub.call_result = Error{ErrorCode::timeout, "too late"};
  const auto late = ask(hub, "call", {{"id", "c1"}, {"message", "add"}});
  CHECK(late.code == static_cast<int>(ErrorCode::timeout));
  CHECK(late.body == Json{{"code", "timeout"}, {"error", "too late"}});
}

TEST_CASE("admin: metadata is shown, or replaced and shown, cast answers nil") {
  FakeHub hub;
  CHECK(ask(hub, "metadata", {{"id", "c1"}}).body == Json{{"k", "v"}});
  CHECK(ask(hub, "metadata", {{"id", "c1"}, {"set", {{"x", "y"}}}}).body == Json{{"x", "y"}});
  CHECK(hub.child.spec.metadata == Metadata{{"x", "y"}});
  CHECK(ask(hub, "cast", {{"id", "c1"}, {"message", "add"}}).body.is_null());
}

TEST_CASE("admin: a cast to nobody is an error once the node knows who there is") {
  FakeHub hub;
  CHECK(ask(hub, "cast", {{"id", "c2"}, {"message", "add"}}).code ==
        static_cast<int>(ErrorCode::no_such_child));
  hub.joined = false;
  CHECK(ask(hub, "cast", {{"id", "c2"}, {"message", "add"}}).code == 0);
}

TEST_CASE("admin: restart tells what became of each, and the first error") {
  FakeHub hub;
  const auto mixed = ask(hub, "restart", {{"ids", {"nobody", "c1"}}});
  CHECK(mixed.code == static_cast<int>(ErrorCode::no_such_child));
  CHECK(mixed.body.at("children").at(0).at("code") == "no_such_child");
  CHECK(mixed.body.at("children").at(1) == Json{{"id", "c1"}, {"restarted", true}});
  CHECK(hub.restarted == std::vector<std::string>{"c1"});

  hub.restart_result = Error{ErrorCode::moved, "'c1' runs on b"};
  const auto elsewhere = ask(hub, "restart", {{"ids", {"c1"}}});
  CHECK(elsewhere.code == static_cast<int>(ErrorCode::moved));
  CHECK(elsewhere.body.at("children").at(0).at("restarted") == false);
  CHECK(elsewhere.body.at("children").at(0).at("error") == "'c1' runs on b");
}

TEST_CASE("admin: what does not fit is invalid and named") {
  FakeHub hub;
  const std::vector<std::tuple<std::string, Json, std::string>> bad{
      {"expload", Json::object(), "expload"},
      {"nodes", {{"al", true}}, "'al'"},
      {"nodes", {{"all", 1}}, "'all'"},
      {"nodes", Json::array(), "map"},
      {"lookup", Json::object(), "'id'"},
      {"start", {{"specs", Json::array()}}, "'specs'"},
      {"start", {{"specs", {{{"id", "c"}, {"type", "t"}, {"tpye", 1}}}}}, "specs[0]: 'tpye'"},
      {"start",
       {{"specs", {{{"id", "c"}, {"type", "t"}, {"restart", "often"}}}}},
       "permanent, transient, temporary"},
      {"start", {{"specs", {{{"id", "c"}, {"type", "t"}, {"max_restarts", -1}}}}}, "'max_restarts'"},
      {"start", {{"specs", {{{"id", "c"}, {"type", "t"}, {"metadata", {{"a", 1}}}}}}}, "'metadata'"},
      {"stop", {{"ids", "c1"}}, "'ids'"},
      {"restart", Json::object(), "'ids'"},
      {"call", {{"id", "c1"}, {"message", "m"}, {"timeout_ms", 1e12}}, "'timeout_ms'"}};
  for (const auto& [verb, args, named] : bad) {
    const auto text = args.dump();
    CAPTURE(text);
    const auto answer = ask(hub, verb, args);
    CHECK(answer.code == static_cast<int>(ErrorCode::invalid));
    CHECK(answer.body.at("error").get<std::string>().find(named) != std::string::npos);
  }
}

TEST_CASE("admin: moves are told with their phase and age") {
  FakeHub hub;
  CHECK(ask(hub, "moves", Json::object()).body ==
        Json::parse(R"([{"id":"c1","from":"a","to":"b","phase":"sending","age_ms":1500}])"));
}

TEST_CASE("admin: tools look inside a node, at a child and at the journal") {
  FakeHub hub;
  const auto inside = ask(hub, "inspect", Json::object()).body;
  CHECK(inside.at("locks")[0].at("reason") == "an operator");
  CHECK(inside.at("locks")[0].at("age_ms") == 2000);
  CHECK(inside.at("waiting")[0].at("count") == 3);
  CHECK(inside.at("frozen") == true);
  const auto child = ask(hub, "explain/c1", Json::object());
  CHECK(child.body.at("owners") == Json{"b"});
  CHECK(child.body.at("waits") == "redistribution is frozen");
  CHECK(child.body.at("metadata").at("k") == "v");
  CHECK(ask(hub, "explain/c2", Json::object()).code == static_cast<int>(ErrorCode::no_such_child));
  CHECK(ask(hub, "metrics", Json::object()).body.at("hub") == "orders");

  for (int i = 1; i <= 3; ++i)
    hub.events.add({0, i, LogPart::moves, LogLevel::warn, "n" + std::to_string(i), {"c1"}});
  const auto read = ask(hub, "events", {{"after", 1}, {"limit", 1}}).body;
  REQUIRE(read.at("events").size() == 1);
  CHECK(read.at("events")[0].at("text") == "n2");
  CHECK(read.at("events")[0].at("part") == "moves");
  CHECK(read.at("last") == 3);
  CHECK(read.at("missed") == 0);
  CHECK(ask(hub, "events", {{"after", "x"}}).code == static_cast<int>(ErrorCode::invalid));
}

TEST_CASE("admin: operators freeze, drain and lock") {
  using protocol::event::Operation;
  FakeHub hub;
  for (const auto* verb : {"freeze", "unfreeze", "drain", "undrain"})
    CHECK(ask(hub, verb, Json::object()).code == 0);
  CHECK(hub.operated ==
        std::vector{Operation::freeze, Operation::unfreeze, Operation::drain, Operation::undrain});
  CHECK(ask(hub, "lock", {{"reason", "backup"}}).body == Json{{"token", 7}});
  CHECK(hub.asked == Json{{"reason", "backup"}, {"level", 10}});
  CHECK(ask(hub, "lock", {{"level", 100'000}}).code == static_cast<int>(ErrorCode::invalid));
  CHECK(ask(hub, "unlock", {{"token", 7}}).code == 0);
  CHECK(hub.asked == 7);
  CHECK(ask(hub, "unlock", Json::object()).code == static_cast<int>(ErrorCode::invalid));
}

TEST_CASE("journal: it keeps the newest, and tells a slow reader how much was missed") {
  Journal journal;
  for (std::size_t i = 0; i < Journal::kKept + 10; ++i)
    journal.add({0, 0, LogPart::hub, LogLevel::info, "x", {}});
  const auto read = journal.read(3, 2);
  CHECK(read.missed == 7);
  REQUIRE(read.entries.size() == 2);
  CHECK(read.entries[0].number == 11);
  CHECK(read.last == Journal::kKept + 10);
  CHECK(journal.read(read.last, 5).entries.empty());
}

TEST_CASE("admin: arguments that are no msgpack, or nested too deep, are invalid") {
  FakeHub hub;
  for (const auto& args : {Bytes("\xc1", 1), Bytes(100'000, '\x91'), Bytes("\xdd\xff\xff\xff\xff", 5)}) {
    int code = -1;
    handle_admin(hub, {1, 1, "nodes", args, {}}, [&](const AdminReply& reply) { code = reply.code; });
    CHECK(code == static_cast<int>(ErrorCode::invalid));
  }
}

}  // namespace
}  // namespace processhub::runtime::admin_test
