#include <doctest/doctest.h>

#include <atomic>
#include <mutex>

#include "tests/unit/runtime/hub_fixture.hpp"

namespace processhub::hub_test::hub_children_test {
namespace {

struct Heard {
  std::vector<std::string> lines{};
  PROCESSHUB_FIELDS(lines)
};
struct Deafen {
  PROCESSHUB_FIELDS()
};

class Watcher : public Worker {
 public:
  static void handlers(Handlers<Watcher>& h) { h.on<&Watcher::heard>().on<&Watcher::deafen>(); }
  void on_start(StartReason) override {
    monitor_ = ctx().monitor("t", [this](const ChildNews& news) {
      heard_.lines.push_back(std::string(to_string(news.state)) + (news.why.empty() ? "" : ": " + news.why) +
                             (news.node ? " " + std::to_string(news.generation.restarts) : ""));
    });
  }

 private:
  Heard heard(const Get&) { return heard_; }
  void deafen(const Deafen&) { ctx().unmonitor(monitor_); }
  Heard heard_{};
  MonitorId monitor_ = 0;
};

TEST_CASE(
    "hub children: a worker that monitors a child hears of its start, crashes, failure and stop, until it "
    "has heard enough") {
  auto c = config();
  c.max_restarts = 1;
  c.restart_backoff = 1ms;
  auto hub = Hub::start(c, WorkerTypes{}.add<Counter>("counter").add<Watcher>("watcher"));
  REQUIRE(hub);
  REQUIRE(hub->wait_joined(kPatience));
  for (const char* id : {"w1", "w2"}) REQUIRE(*hub->start_child({.id = id, .type = "watcher"}).get());
  const auto last = [&](const char* id, const std::string& line) {
    return eventually([&] {
      const auto heard = hub->call<Heard>(id, Get{}).get();
      return heard && !heard->lines.empty() && heard->lines.back() == line;
    });
  };
  CHECK(last("w1", "gone"));
  start_counter(*hub, "t");
  CHECK(last("w1", "running 0"));
  REQUIRE(!hub->call<Total>("t", Crash{}).get());
  CHECK(last("w1", "running 1"));
  CHECK(last("w2", "running 1"));
  REQUIRE(hub->call<void>("w2", Deafen{}).get());
  REQUIRE(!hub->call<Total>("t", Crash{}).get());
  CHECK(last("w1", "failed: asked to"));
  REQUIRE(*hub->stop_child("t").get());
  CHECK(last("w1", "gone"));
  CHECK(last("w2", "running 1"));
  REQUIRE(*hub->stop_child("w1").get());  // whoever has ended is told nothing
  start_counter(*hub, "t");
  CHECK(hub->call<Total>("t", Get{}).get());
}

TEST_CASE("hub children: a started child is in the registry as soon as its future is ready") {
  auto hub = start();
  const auto started =
      hub.start_children({{.id = "b", .type = "counter", .tag = "red"}, {.id = "a", .type = "counter"}})
          .get();
  REQUIRE(started);
  REQUIRE(*started);
  CHECK(started->ids() == std::vector<std::string>{"b", "a"});
  CHECK(started->nodes() == std::vector<std::string>{"alone"});
  const auto child = hub.lookup("b");
  REQUIRE(child);
  REQUIRE(child->active() != nullptr);
  CHECK(hub.active_of("b") == child->active()->ref);
  CHECK(child->active()->ref.node == hub.node());
  CHECK(hub.instances("b").size() == 1);
  REQUIRE(hub.list().size() == 2);
  CHECK(hub.list()[0].spec.id == "a");
  CHECK(hub.list(Scope::local).size() == 2);
  REQUIRE(hub.by_tag("red").size() == 1);
  CHECK(hub.dump().find("b type=counter tag=red") != std::string::npos);
}

TEST_CASE("hub children: a stopped child is gone when its future is ready") {
  auto hub = start();
  start_counter(hub, "shop-1");
  start_counter(hub, "shop-2");
  start_counter(hub, "bar-1");
  REQUIRE(*hub.stop_by_prefix("shop-").get());
  CHECK(hub.list().size() == 1);
  REQUIRE(*hub.stop_child("bar-1").get());
  CHECK(hub.list().empty());
  CHECK_FALSE(hub.active_of("bar-1"));
}

TEST_CASE("hub children: a mistake in one spec refuses the whole call before anything starts") {
  auto hub = start();
  const auto bad =
      hub.start_children({{.id = "good", .type = "counter"}, {.id = "not good", .type = "counter"}}).get();
  REQUIRE_FALSE(bad);
  CHECK(bad.error().code == ErrorCode::invalid);
  const auto twice =
      hub.start_children({{.id = "x", .type = "counter"}, {.id = "x", .type = "counter"}}).get();
  REQUIRE_FALSE(twice);
  CHECK(twice.error().message.find("'x'") != std::string::npos);
  CHECK(hub.list().empty());
}

TEST_CASE("hub children: an unknown type fails its child and no other") {
  auto hub = start();
  const auto started =
      hub.start_children({{.id = "a", .type = "counter"}, {.id = "b", .type = "no_such"}}).get();
  REQUIRE(started);
  CHECK(started->status == CallStatus::partial);
  CHECK(started->ids() == std::vector<std::string>{"a"});
  REQUIRE(started->errors().size() == 1);
  CHECK(started->errors()[0].message.find("no_such") != std::string::npos);
}

TEST_CASE("hub children: options and alter hooks complete the spec before it is checked") {
  auto hub = start();
  REQUIRE(hub.register_hooks(
      {{"fix", "child_data", 1, {}, [](ChildSpec& spec) { spec.metadata["hooked"] = spec.tag; }}}));
  StartOptions options;
  options.tag = "batch";
  options.metadata = {{"owner", "options"}, {"team", "a"}};
  REQUIRE(*hub.start_child({.id = "c1", .type = "counter", .metadata = {{"owner", "spec"}}}, options).get());
  const auto child = hub.lookup("c1");
  REQUIRE(child);
  CHECK(child->spec.tag == "batch");
  CHECK(child->spec.metadata == Metadata{{"hooked", "batch"}, {"owner", "spec"}, {"team", "a"}});
}

TEST_CASE("hub children: hooks of the configuration are there from the first moment") {
  std::atomic<int> started = 0;
  HookFunctions functions;
  functions.add("count", [&](const HookSource& source, const HookEvent& event) {
    if (source.hook_id == "tally" && hook_name(event) == "children_started") ++started;
  });
  functions.add_alter("stamp", [](const HookSource& source, ChildSpec& spec) {
    spec.metadata["stamped"] = source.hub_id + "/" + source.hook_id;
  });
  const auto start_with = [&](const HubConfig& c) {
    return Hub::start(c, WorkerTypes{}.add<Counter>("counter"), {}, functions);
  };
  auto with_hooks = config();
  with_hooks.hooks = {{"tally", "count", {"children_started", "children_started"}, 100}};
  const auto refused = start_with(with_hooks);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "hook: hook 'tally': event 'children_started' is named twice");
  with_hooks.hooks = {{"tally", "count", {"children_started"}, 100}, {"stamper", "stamp", {"child_data"}, 1}};
  with_hooks.static_children = {{.id = "fixed", .type = "counter"}};
  auto hub = start_with(with_hooks);
  REQUIRE(hub);
  REQUIRE(eventually([&] { return hub->lookup("fixed").has_value(); }));
  REQUIRE(*hub->start_child({.id = "c1", .type = "counter"}).get());
  CHECK(hub->lookup("fixed")->spec.metadata.at("stamped") == "default/stamper");
  CHECK(hub->lookup("c1")->spec.metadata.at("stamped") == "default/stamper");
  CHECK(eventually([&] { return started == 1; }));
  with_hooks.hooks[0].function = "cuont";
  CHECK(start_with(with_hooks).error().message ==
        "hook 'tally': there is no function 'cuont' for children_started; there are: count");
}

TEST_CASE("hub children: metadata is replaced and read back") {
  auto hub = start();
  start_counter(hub, "c1");
  REQUIRE(hub.update_metadata("c1", {{"k", "v"}}).get());
  CHECK(hub.lookup("c1")->spec.metadata == Metadata{{"k", "v"}});
  CHECK(hub.update_metadata("nobody", {}).get().error().code == ErrorCode::no_such_child);
}

TEST_CASE("hub children: a crash restarts the worker with a new reference and its arguments") {
  auto hub = start();
  start_counter(hub, "c1", 7);
  const auto before = hub.active_of("c1");
  REQUIRE(before);
  REQUIRE(hub.cast("c1", Add{1}));
  REQUIRE(hub.cast("c1", Crash{}));
  REQUIRE(eventually([&] {
    const auto now = hub.active_of("c1");
    return now && *now != *before;
  }));
  CHECK(hub.call<Total>("c1", Get{}, 10s).get().value().total == 7);
  CHECK(hub.status().stats.worker_crashes == 1);
}

TEST_CASE("hub children: hooks tell of starts, and what they look up is there") {
  auto hub = start();
  std::mutex mutex;
  std::vector<std::string> seen;
  std::atomic<bool> found{false};
  REQUIRE(hub.register_hooks({{"see",
                               "registry_inserted",
                               1,
                               [&](const HookEvent& e) {
                                 const auto& ids = std::get<hook::RegistryInserted>(e).ids;
                                 found = hub.lookup(ids.at(0)).has_value();
                                 std::lock_guard lock(mutex);
                                 seen.insert(seen.end(), ids.begin(), ids.end());
                               },
                               {}}}));
  start_counter(hub, "c1");
  REQUIRE(eventually([&] {
    std::lock_guard lock(mutex);
    return !seen.empty();
  }));
  CHECK(seen == std::vector<std::string>{"c1"});
  CHECK(found);
  CHECK(hub.hooks().size() == 1);
  CHECK(hub.cancel_hooks({"see"}) == 1);
}

TEST_CASE("hub children: while the queue is locked starts wait, and unlocking lets them go") {
  auto hub = start();
  const auto token = hub.lock("maintenance").get();
  REQUIRE(token);
  REQUIRE(eventually([&] { return hub.is_locked(); }));
  const auto waiting = hub.start_child({.id = "c1", .type = "counter"});
  CHECK(hub.call<Total>("nobody", Get{}, 5s).get().error().code ==
        ErrorCode::no_such_child);  // the loop has turned since
  CHECK_FALSE(waiting.ready());
  CHECK(hub.unlock(*token).get());
  REQUIRE(waiting.get());
  CHECK(hub.lookup("c1"));
  CHECK(eventually([&] { return !hub.is_locked(); }));
}

TEST_CASE("hub children: a lock may refuse what is below its level") {
  auto hub = start();
  const auto token = hub.lock("no more", 10, WhileLocked::discard).get();
  REQUIRE(token);
  const auto refused = hub.start_child({.id = "c1", .type = "counter"}).get();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::discarded);
  CHECK(hub.unlock(*token).get());
  CHECK(hub.start_child({.id = "c1", .type = "counter"}).get());
}

TEST_CASE("hub children: users' events reach their handler with the node they came from") {
  auto hub = start();
  std::atomic<bool> right{false};
  hub.on_event("tick", [&](NodeId from, const Bytes& body) { right = from == hub.node() && body == "now"; });
  REQUIRE(hub.dispatch("tick", "now"));
  CHECK(eventually([&] { return right.load(); }));
}

TEST_CASE("hub children: ten thousand start in one call, and the counts agree") {
  auto hub = start();
  std::vector<ChildSpec> specs;
  for (int i = 0; i < 10'000; ++i) specs.push_back({.id = "c-" + std::to_string(i), .type = "counter"});
  StartOptions options;
  options.timeout = 60s;
  const auto started = hub.start_children(std::move(specs), options).get();
  REQUIRE(started);
  REQUIRE(*started);
  CHECK(hub.list().size() == 10'000);
  CHECK(eventually(
      [&] { return hub.status().children_total == 10'000 && hub.status().children_local == 10'000; }));
}

}  // namespace
}  // namespace processhub::hub_test::hub_children_test
