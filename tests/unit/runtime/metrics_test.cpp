// The metrics of a hub: what they count, and that the files for operators name only metrics that exist.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "core/protocol/meters.hpp"
#include "core/runtime/hub_metrics.hpp"
#include "tests/unit/runtime/hub_fixture.hpp"

namespace processhub::hub_test::metrics_test {
namespace {

std::string page(const std::string& name) {
  std::ifstream file(std::string(PH_SOURCE_DIR) + "/docs/operations/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  REQUIRE_FALSE(text.str().empty());
  return text.str();
}

std::set<std::string> named_in(const std::string& text) {
  static const std::regex kName("processhub_[a-z_]+");
  std::set<std::string> out;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), kName); at != std::sregex_iterator(); ++at)
    out.insert(std::regex_replace(at->str(), std::regex("_(bucket|sum|count)$"), ""));
  return out;
}

std::set<std::string> names_of(const Metrics& metrics) {
  std::set<std::string> out;
  for (const auto& metric : metrics.all) out.insert(metric.name);
  return out;
}

}  // namespace

TEST_CASE("metrics: every metric of the alerts and the dashboard exists, and the page has all of them") {
  const auto exist = names_of(start().metrics());
  for (const auto* file : {"alerts.yml", "dashboard.json"}) {
    for (const auto& name : named_in(page(file))) {
      CAPTURE(name);
      CHECK(exist.count(name) == 1);
    }
  }
  CHECK(named_in(page("metrics.md")) == exist);
  const auto dashboard = nlohmann::json::parse(page("dashboard.json"));
  CHECK(dashboard.at("panels").size() > 10);
}

TEST_CASE("metrics: names are unique, counters end in _total, histograms have a bucket more than bounds") {
  const auto metrics = start().metrics();
  CHECK(names_of(metrics).size() == metrics.all.size());
  for (const auto& metric : metrics.all) {
    CAPTURE(metric.name);
    CHECK_FALSE(metric.help.empty());
    CHECK((metric.kind == MetricKind::counter) == metric.name.ends_with("_total"));
    for (const auto& series : metric.series) {
      if (metric.kind == MetricKind::histogram) CHECK(series.buckets.size() == series.bounds.size() + 1);
      if (metric.kind != MetricKind::histogram) CHECK(series.buckets.empty());
    }
  }
}

TEST_CASE("metrics: children, messages, crashes and dead letters are counted") {
  auto hub = start();
  start_counter(hub, "c");
  CHECK(hub.call<Total>("c", Add{2}, 10s).get().value().total == 2);
  REQUIRE(hub.cast("nobody", Get{}));
  CHECK(hub.call<Total>("nobody", Get{}, 10s).get().error().code == ErrorCode::no_such_child);
  REQUIRE(hub.cast("c", Crash{}));
  CHECK(eventually([&] {
    const auto m = hub.metrics();
    return m.value("processhub_worker_crashes_total") == 1 && m.value("processhub_handled_total") >= 1 &&
           m.value("processhub_drops_total", {{"reason", "dead_letter"}}) == 1 &&
           m.value("processhub_dead_letters_total", {{"reason", "no_such_child"}}) == 1 &&
           m.value("processhub_calls_total", {{"result", "no_such_child"}}) == 1 &&
           m.value("processhub_children", {{"scope", "local"}}) == 1;
  }));
  const auto metrics = hub.metrics();
  CHECK(metrics.node == hub.node());
  CHECK(metrics.value("processhub_joined") == 1);
  CHECK(metrics.value("processhub_members", {{"state", "up"}}) == 1);
  CHECK(metrics.find("processhub_call_seconds")->series[0].count() >= 1);
  CHECK(metrics.find("processhub_loop_lag_seconds")->series[0].count() > 0);
  CHECK(metrics.find("processhub_nothing") == nullptr);
}

TEST_CASE("metrics: a lock shows with its holder until it is gone") {
  auto hub = start();
  const auto token = hub.lock("test").get();
  REQUIRE(token);
  CHECK(eventually([&] {
    const auto m = hub.metrics();
    return m.value("processhub_lock_holders", {{"holder", "user"}}) == 1 &&
           m.value("processhub_locked") == 1 && m.value("processhub_queue_level") == 10;
  }));
  REQUIRE(hub.unlock(*token).get());
  CHECK(eventually([&] { return hub.metrics().value("processhub_locked") == 0; }));
}

TEST_CASE("metrics: messages that a full mailbox refuses are counted by reason, and the child is named") {
  auto c = config();
  c.mailbox_limit = 1;
  auto hub = start(std::move(c));
  start_counter(hub, "c");
  CHECK(eventually([&] {
    for (int i = 0; i < 200; ++i) REQUIRE(hub.cast("c", Add{1}));
    return hub.metrics().value("processhub_drops_total", {{"reason", "mailbox_full"}}) > 0;
  }));
  CHECK(hub.metrics().value("processhub_mailbox_limit") == 1);
}

TEST_CASE("a distribution puts each value below the first bound that holds it") {
  protocol::Distribution d;
  d.note(Duration(0));
  d.note(Duration(50));
  d.note(Duration(51));
  d.note(std::chrono::hours(1));
  CHECK(d.buckets[0] == 2);
  CHECK(d.buckets[1] == 1);
  CHECK(d.buckets.back() == 1);
  CHECK(d.sum == std::chrono::hours(1) + Duration(101));
}

}  // namespace processhub::hub_test::metrics_test
