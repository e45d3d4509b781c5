// The tap, and how a trace travels: through handlers, their calls and continuations, between two nodes.
#include "core/runtime/tap.hpp"

#include <doctest/doctest.h>

#include <set>

#include "tests/unit/runtime/hub_fixture.hpp"

namespace processhub::hub_test::tap_test {
namespace {

using protocol::Hop;
using protocol::Tapped;
using runtime::Tap;
using runtime::TapFilter;

Tapped call_to(std::string_view child, std::string_view body = {}) {
  return {Hop::sent, "call", NodeId::of("b", 1), child, "add", {}, 7, body, nullptr};
}

std::vector<std::string> children(const Tap::Read& read) {
  std::vector<std::string> out;
  for (const auto& entry : read.entries) out.push_back(entry.child);
  return out;
}

TEST_CASE("tap: closed until somebody watches, and again when nobody has asked for a while") {
  Tap tap;
  CHECK_FALSE(tap.open());
  tap.note(call_to("c1"));
  CHECK(tap.read(1, {}, 10, Time(0)).value().entries.empty());
  CHECK(tap.open());
  tap.note(call_to("c1", "body"));
  const auto read = tap.read(1, {}, 10, Tap::kPatience).value();
  REQUIRE(read.entries.size() == 1);
  const auto& entry = read.entries[0];
  CHECK(entry.hop == Hop::sent);
  CHECK(std::tuple(entry.kind, entry.peer, entry.child, entry.message) ==
        std::tuple("call", "b", "c1", "add"));
  CHECK(std::tuple(entry.token, entry.size, entry.body) == std::tuple(7U, 4U, "body"));
  tap.expire(Tap::kPatience * 2);
  CHECK(tap.open());
  tap.expire(Tap::kPatience * 2 + Duration(1));
  CHECK_FALSE(tap.open());
}

TEST_CASE("tap: a watcher gets what fits, in order, and how many did not") {
  Tap tap;
  static_cast<void>(tap.read(1, {}, 3, Time(0)));
  static_cast<void>(tap.read(2, {}, Tap::kMostKept * 9, Time(0)));
  for (std::size_t i = 0; i < Tap::kMostKept + 5; ++i) tap.note(call_to("c" + std::to_string(i)));
  const auto few = tap.read(1, {}, 3, Time(0)).value();
  CHECK(children(few) == std::vector<std::string>{"c0", "c1", "c2"});
  CHECK(few.dropped == Tap::kMostKept + 2);
  CHECK(tap.read(2, {}, 1, Time(0)).value().dropped == 5);
  CHECK(tap.read(1, {}, 3, Time(0)).value().dropped == 0);  // told once
  tap.note(call_to("c", std::string(Tap::kMostBody + 1, 'x')));
  const auto large = tap.read(1, {}, 3, Time(0)).value().entries.at(0);
  CHECK(large.size == Tap::kMostBody + 1);
  CHECK(large.body.empty());
  for (std::uint64_t watcher = 3; watcher <= Tap::kWatchers; ++watcher)
    CHECK(tap.read(watcher, {}, 1, Time(0)).ok());
  CHECK(tap.read(99, {}, 1, Time(0)).error().code == ErrorCode::overloaded);
}

TEST_CASE("tap: filters by child, kind and topic") {
  const Tapped call = call_to("order-7");
  const Tapped topic{Hop::sent, "topic", {}, {}, "Changed", "orders.eu.new", 0, {}, nullptr};
  const Tapped beat{Hop::sent, "heartbeat", {}, {}, {}, {}, 0, {}, nullptr};
  const auto wanted = [&](const TapFilter& filter) {
    std::string out;
    for (const auto* what : {&call, &topic, &beat})
      out += filter.wants(*what) ? what->kind.substr(0, 1) : "-";
    return out;
  };
  CHECK(wanted({}) == "cth");
  CHECK(wanted({"order-7", {}, {}}) == "c--");
  CHECK(wanted({"order-*", {}, {}}) == "c--");
  CHECK(wanted({"order-", {}, {}}) == "---");
  CHECK(wanted({{}, "call", {}}) == "c--");
  CHECK(wanted({{}, "hub", {}}) == "--h");
  CHECK(wanted({{}, "heartbeat", {}}) == "--h");
  CHECK(wanted({{}, {}, "orders.>"}) == "-t-");
  CHECK(wanted({{}, {}, "stock.>"}) == "---");
  CHECK(wanted({"order-7", "cast", {}}) == "---");
}

struct AskTwice {
  std::string other{};
  PROCESSHUB_FIELDS(other)
};
struct TraceOf {
  PROCESSHUB_FIELDS()
};
struct Seen {
  std::vector<std::string> traces{};
  PROCESSHUB_FIELDS(traces)
};

/// Tells under which trace it runs, and those that it calls.
class Tracer : public Worker {
 public:
  static void handlers(Handlers<Tracer>& h) { h.on<&Tracer::trace_of>().on<&Tracer::ask_twice>(); }

 private:
  Seen trace_of(const TraceOf&) { return {{present_trace().str()}}; }
  /// From the handler, and from the continuation.
  void ask_twice(const AskTwice& m, Reply<Seen> reply) {
    auto seen = std::make_shared<Seen>(Seen{{present_trace().str()}});
    const auto add = [seen](const Result<Seen>& answer) {
      seen->traces.push_back(answer ? answer->traces.at(0) : answer.error().message);
    };
    ctx().call<Seen>(m.other, TraceOf{}, 5s,
                     [this, other = m.other, add, seen, reply](const Result<Seen>& first) {
                       add(first);
                       ctx().call<Seen>(other, TraceOf{}, 5s, [add, seen, reply](const Result<Seen>& second) {
                         add(second);
                         reply(*seen);
                       });
                     });
  }
};

Hub start_tracers(std::string name, std::vector<std::string> seeds) {
  auto c = config();
  c.name = std::move(name);
  c.listen = "tcp://127.0.0.1:0";
  c.seeds = std::move(seeds);
  auto hub = Hub::start(std::move(c), WorkerTypes{}.add<Tracer>("tracer"));
  REQUIRE(hub.ok());
  REQUIRE(hub->wait_joined(kPatience));
  return std::move(*hub);
}

std::string child_on(const Hub& at, const Hub& where) {
  std::string found;
  const auto on = [&] {
    for (const auto& child : at.list())
      if (child.active() != nullptr && child.active()->ref.node == where.node()) found = child.spec.id;
    return !found.empty();
  };
  REQUIRE(eventually(on));
  return found;
}

TEST_CASE("trace: calls carry it to other nodes, and what handlers and continuations call carries it on") {
  auto a = start_tracers("a", {});
  auto b = start_tracers("b", {a.endpoint()});
  REQUIRE(eventually([&] { return a.nodes().size() == 2 && !a.is_locked() && !b.is_locked(); }));
  std::vector<ChildSpec> specs;
  for (int i = 0; i < 40; ++i) specs.push_back({.id = "t" + std::to_string(i), .type = "tracer"});
  REQUIRE(*a.start_children(std::move(specs)).get());
  const auto near = child_on(a, a);
  const auto far = child_on(a, b);
  const auto given = Trace::start();
  for (const auto& [first, second] :
       {std::pair(near, far), std::pair(far, near), std::pair(near, near + "x")}) {
    const auto seen = a.call<Seen>(first, AskTwice{second}, CallOptions{10s, given}).get();
    REQUIRE(seen.ok());
    REQUIRE(seen->traces.size() == 3);
    if (second == near + "x") continue;  // nobody is there; the trace must not stay behind all the same
    std::set<std::string> spans;
    for (const auto& text : seen->traces) {
      const auto trace = Trace::parse(text);
      REQUIRE_MESSAGE(trace.ok(), text);
      CHECK(trace->id == given.id);
      spans.insert(text.substr(36, 16));
    }
    CHECK(spans.size() == 3);
  }
  for (const auto& id : {near, far})
    CHECK(a.call<Seen>(id, AskTwice{far}, 10s).get().value().traces == std::vector<std::string>{"", "", ""});
  CHECK_FALSE(present_trace());
}

}  // namespace
}  // namespace processhub::hub_test::tap_test
