#include "core/runtime/hook_runner.hpp"

#include <doctest/doctest.h>

#include <future>
#include <stdexcept>
#include <thread>

#include "core/runtime/clock.hpp"

namespace processhub::runtime::hook_runner_test {
namespace {

struct Reports {
  std::mutex mutex{};
  std::vector<std::string> lines{};
  std::function<void(std::string)> sink() {
    return [this](std::string line) {
      std::lock_guard lock(mutex);
      lines.push_back(std::move(line));
    };
  }
};

Hook on_failed(std::string id, int priority, std::function<void(const HookEvent&)> handler) {
  return {std::move(id), "child_failed", priority, std::move(handler), {}};
}

TEST_CASE(
    "hooks: handlers run by priority, equal ones in order of registration, and the event arrives whole") {
  Reports reports;
  HookRunner hooks(reports.sink());
  std::vector<std::string> ran;
  auto note = [&](std::string name) {
    return
        [&ran, name](const HookEvent& e) { ran.push_back(name + ":" + std::get<hook::ChildFailed>(e).id); };
  };
  REQUIRE(hooks.add({on_failed("late", 200, note("late")), on_failed("first", 1, note("first")),
                     on_failed("a", 100, note("a")), on_failed("b", 100, note("b"))}));
  hooks.emit(hook::ChildFailed{"c1", "why"});
  hooks.stop();
  CHECK(ran == std::vector<std::string>{"first:c1", "a:c1", "b:c1", "late:c1"});
  CHECK(reports.lines.empty());
}

TEST_CASE(
    "hooks: dead letters are told one by one, a flood by samples that add up, and the log gets a line") {
  DeadLetters letters;
  std::uint64_t told = 0;
  int hooks = 0;
  int lines = 0;
  const auto count = [&](const std::optional<hook::DeadLetter>& letter) {
    if (!letter) return;
    ++hooks;
    told += letter->count;
  };
  for (int i = 0; i < 50'000; ++i) {  // five seconds
    const Time now(i * 100);
    count(letters.note(now, "c", "add", "full"));
    lines += letters.line(now) ? 1 : 0;
  }
  CHECK(hooks == 500);
  CHECK(lines == 5);
  CHECK(told < 50'000);
  CHECK_FALSE(letters.due(Time(5'000'000 - 1)));
  count(letters.due(Time(6'000'000)));
  CHECK(told == 50'000);
  const auto line = letters.line(Time(6'000'000));
  REQUIRE(line);
  CHECK(line->find("messages without a taker, the last: 'add' for 'c': full") != std::string::npos);
  CHECK_FALSE(letters.line(Time(9'000'000)));
  CHECK_FALSE(letters.due(Time(9'000'000)));

  Reports reports;
  HookRunner runner(reports.sink());
  std::vector<std::string> ran;
  REQUIRE(runner.add({{"dead",
                       "dead_letter",
                       1,
                       [&](const HookEvent& e) { ran.push_back(std::get<hook::DeadLetter>(e).message); },
                       {}}}));
  runner.dead_letter("c", "one", "full");
  runner.emit(hook::DeadLetter{"c", "two", "no such child"});
  runner.stop();
  CHECK(ran == std::vector<std::string>{"one", "two"});
  CHECK(reports.lines == std::vector<std::string>{"a message without a taker, 'one' for 'c': full"});
}

TEST_CASE("hooks: a repeated id replaces, cancel removes, and the list shows what is left") {
  Reports reports;
  HookRunner hooks(reports.sink());
  int old_runs = 0;
  int new_runs = 0;
  REQUIRE(hooks.add({on_failed("x", 100, [&](const HookEvent&) { ++old_runs; })}));
  REQUIRE(hooks.add({on_failed("x", 50, [&](const HookEvent&) { ++new_runs; }),
                     on_failed("y", 1, [](const HookEvent&) {})}));
  CHECK(hooks.cancel({"y", "unheard-of"}) == 1);
  const auto list = hooks.list();
  REQUIRE(list.size() == 1);
  CHECK(list[0].id == "x");
  CHECK(list[0].event == "child_failed");
  CHECK(list[0].priority == 50);
  hooks.emit(hook::ChildFailed{});
  hooks.stop();
  CHECK(old_runs == 0);
  CHECK(new_runs == 1);
}

TEST_CASE("hooks: one that does not fit is refused with its id, and none of its call is registered") {
  Reports reports;
  HookRunner hooks(reports.sink());
  auto good = on_failed("good", 100, [](const HookEvent&) {});
  const Hook unknown{"typo", "child_faild", 100, [](const HookEvent&) {}, {}};
  const Hook empty{"empty", "child_failed", 100, {}, {}};
  const Hook mixed{"mixed", "child_data", 100, [](const HookEvent&) {}, {}};
  const Hook nameless{"", "child_failed", 100, [](const HookEvent&) {}, {}};
  for (const auto& bad : {unknown, empty, mixed, nameless}) {
    const auto added = hooks.add({good, bad});
    REQUIRE_FALSE(added);
    CHECK(added.error().code == ErrorCode::invalid);
    CHECK(added.error().message.find(bad.id) != std::string::npos);
  }
  CHECK(hooks.list().empty());
}

TEST_CASE("hooks: every hook name can be registered and is emitted to") {
  Reports reports;
  HookRunner hooks(reports.sink());
  std::vector<std::string> seen;
  for (const auto& name : hook_names()) {
    REQUIRE(hooks.add({{name, name, 100, [&](const HookEvent& e) { seen.emplace_back(hook_name(e)); }, {}}}));
  }
  hooks.emit(hook::PreClusterJoin{});
  hooks.emit(hook::DeadLetter{});
  hooks.emit(hook::HubShutdown{});
  hooks.stop();
  CHECK(seen == std::vector<std::string>{"pre_cluster_join", "dead_letter", "hub_shutdown"});
}

TEST_CASE("hooks: a handler that throws is reported by its id and the next one runs") {
  Reports reports;
  HookRunner hooks(reports.sink());
  bool next_ran = false;
  REQUIRE(hooks.add({on_failed("thrower", 1, [](const HookEvent&) { throw std::runtime_error("no disk"); }),
                     on_failed("next", 2, [&](const HookEvent&) { next_ran = true; })}));
  hooks.emit(hook::ChildFailed{});
  hooks.stop();
  CHECK(next_ran);
  CHECK(hooks.counters().threw == 1);
  REQUIRE(reports.lines.size() == 1);
  CHECK(reports.lines[0] == "hook 'thrower' threw: no disk");
}

TEST_CASE("hooks: a handler that runs for more than a second is reported once, by its id") {
  Reports reports;
  HookRunner hooks(reports.sink());
  std::promise<void> started;
  std::promise<void> release;
  REQUIRE(hooks.add({on_failed("sleepy", 1, [&](const HookEvent&) {
    started.set_value();
    release.get_future().wait();
  })}));
  hooks.emit(hook::ChildFailed{});
  started.get_future().wait();
  hooks.report_slow(boot_now());
  CHECK(hooks.counters().slow == 0);
  hooks.report_slow(boot_now() + std::chrono::seconds(2));
  hooks.report_slow(boot_now() + std::chrono::seconds(3));
  release.set_value();
  hooks.stop();
  CHECK(hooks.counters().slow == 1);
  REQUIRE(reports.lines.size() == 1);
  CHECK(reports.lines[0].find("'sleepy'") != std::string::npos);
}

using Specs = std::vector<ChildSpec>;

/// The specs after the child_data handlers, or why there are none.
Future<Specs> altered(HookRunner& hooks, Specs specs) {
  const Promise<Specs> promise;
  hooks.alter(std::move(specs), [promise](Result<Specs> answer) { promise.complete(std::move(answer)); });
  return promise.future();
}

TEST_CASE("hooks: child_data handlers change specs in order, and one that throws changes nothing") {
  Reports reports;
  HookRunner hooks(reports.sink());
  CHECK_FALSE(hooks.alters());
  REQUIRE(hooks.add({{"boom",
                      "child_data",
                      1,
                      {},
                      [](ChildSpec& spec) {
                        spec.tag = "half";
                        throw 42;
                      }},
                     {"second", "child_data", 3, {}, [](ChildSpec& spec) { spec.tag += "-two"; }},
                     {"first", "child_data", 2, {}, [](ChildSpec& spec) { spec.tag += "one"; }}}));
  CHECK(hooks.alters());
  const auto specs =
      altered(hooks, {{.id = "a", .type = "t"}, {.id = "b", .type = "t", .tag = "zero-"}}).get();
  REQUIRE(specs);
  CHECK(specs->at(0).tag == "one-two");
  CHECK(specs->at(1).tag == "zero-one-two");
  CHECK(hooks.counters().threw == 2);
}

TEST_CASE("hooks: a child_data handler over its deadline refuses the start by name, and those behind it") {
  Reports reports;
  HookRunner hooks(reports.sink(), std::chrono::milliseconds(20));
  std::promise<void> entered;
  std::promise<void> release;
  auto released = release.get_future().share();
  REQUIRE(hooks.add({{"stuck", "child_data", 1, {}, [&](ChildSpec& spec) {
                        if (spec.id == "a") entered.set_value();
                        released.wait();
                      }}}));
  const auto first = altered(hooks, {{.id = "a", .type = "t"}});
  const auto second = altered(hooks, {{.id = "b", .type = "t"}});
  entered.get_future().wait();
  hooks.report_slow(boot_now());
  hooks.report_slow(boot_now() + std::chrono::seconds(1));
  for (const auto& start : {first, second}) {
    REQUIRE(start.ready());
    CHECK(start.get().error().code == ErrorCode::timeout);
    CHECK(start.get().error().message.find("'stuck'") != std::string::npos);
    CHECK(start.get().error().message.find("hook_timeout (20 ms)") != std::string::npos);
  }
  CHECK(hooks.counters().slow == 2);
  release.set_value();
  hooks.stop();  // the handler is done with what stands above before that goes
}

TEST_CASE("hooks: starts that wait for child_data handlers are refused when the hub stops") {
  Reports reports;
  HookRunner hooks(reports.sink(), std::chrono::hours(1));
  std::promise<void> entered;
  std::promise<void> release;
  auto released = release.get_future().share();
  REQUIRE(hooks.add({{"stuck", "child_data", 1, {}, [&](ChildSpec&) {
                        entered.set_value();
                        released.wait();
                      }}}));
  const auto first = altered(hooks, {{.id = "a", .type = "t"}});
  const auto second = altered(hooks, {{.id = "b", .type = "t"}});
  entered.get_future().wait();
  std::thread stopper([&] { hooks.stop(); });
  CHECK(second.get().error().code == ErrorCode::stopped);
  CHECK(first.get().error().code == ErrorCode::stopped);
  release.set_value();
  stopper.join();
  CHECK(altered(hooks, {{.id = "c", .type = "t"}}).get().error().code == ErrorCode::stopped);
}

TEST_CASE("hooks: users' events reach their handler in order, and nobody when it is gone") {
  Reports reports;
  HookRunner hooks(reports.sink());
  std::string got;
  hooks.on_event("tick", [&](NodeId from, const Bytes& body) { got += std::string(from.name()) + body; });
  hooks.user_event("tick", NodeId::of("n", 1), "1");
  hooks.user_event("other", NodeId::of("n", 1), "?");
  hooks.user_event("tick", NodeId::of("n", 1), "2");
  hooks.stop();
  CHECK(got == "n1n2");
}

}  // namespace
}  // namespace processhub::runtime::hook_runner_test
