#include "tools/zmq-monitor/cluster_watch.hpp"

#include <algorithm>
#include <utility>

#include "tools/zmq-monitor/live_view.hpp"

namespace processhub::monitor {

namespace {

using Clock = std::chrono::steady_clock;
using hubctl::AdminClient;
using hubctl::wall_us;

constexpr std::chrono::milliseconds kEvery{1'000};
constexpr std::uint64_t kEarlierEvents = 60;  // of each node, shown at the beginning
constexpr std::uint32_t kEventsOfALook = 200;
constexpr std::int64_t kRemembered_us = 60'000'000;
constexpr std::size_t kEvents = kMetrics + 1;  // the index of this question's answer
constexpr std::uint64_t kFromNowOn = ~std::uint64_t{0} >> 1U;

Question events_after(std::uint64_t number) {
  return {"events", {{"after", number}, {"limit", kEventsOfALook}}};
}

}  // namespace

ClusterWatch::ClusterWatch(const hubctl::LookOptions& options, WebFeed& feed)
    : options_(options), feed_(feed), lines_(options), thread_([this] { run(); }) {}

ClusterWatch::~ClusterWatch() {
  feed_.close();
  thread_.join();
}

void ClusterWatch::run() {
  while (feed_.wait_for_reader()) {
    const auto next = Clock::now() + kEvery;
    auto now = look();
    if (now)
      publish(std::move(*now));
    else
      feed_.publish_look(hubctl::to_line({{"error", "no node answers"}}));
    if (!feed_.wait_until(next)) return;
    if (feed_.readers() == 0) forget();
  }
}

/// Nothing is kept open for nobody; rates begin anew.
void ClusterWatch::forget() {
  lines_.close();
  stories_.clear();
  before_.reset();
  feed_.forget();
}

std::optional<ClusterLook> ClusterWatch::look() {
  auto nodes = lines_.members();
  if (!nodes) return std::nullopt;
  auto before = std::exchange(stories_, {});
  for (const auto& node : *nodes) stories_[life_of(node)] = std::move(before[life_of(node)]);
  lines_.each(*nodes,
              [this](NodeLook& node, AdminClient& client) { ask(node, client, stories_.at(life_of(node))); });
  return ClusterLook{std::move(*nodes), {}};
}

void ClusterWatch::ask(NodeLook& node, AdminClient& client, Story& story) {
  auto questions = look_questions();
  questions.push_back(events_after(story.last.value_or(kFromNowOn)));
  hubctl::ask_node(client, node, options_, questions);
  if (!node.answered() || story.last || !node.answers[kEvents].is_object()) return;
  const auto last = node.answers[kEvents].value("last", std::uint64_t{0});
  story.last = last - std::min(last, kEarlierEvents);
  if (auto earlier = hubctl::ask(client, events_after(*story.last), options_.patience))
    node.answers[kEvents] = std::move(*earlier);
}

void ClusterWatch::read_events(const NodeLook& node, Story& story, std::vector<Json>& out) {
  const auto& read = node.answer(kEvents);
  if (!read.contains("events")) return;
  if (const auto missed = read.value("missed", std::uint64_t{0}); missed > 0)
    out.push_back({{"node", node.name},
                   {"time_us", wall_us()},
                   {"part", "journal"},
                   {"level", "warn"},
                   {"text", std::to_string(missed) + " events were missed"},
                   {"children", Json::array()}});
  for (const auto& event : read.at("events")) {
    story.last = event.value("number", std::uint64_t{0});
    story.recent.push_back(event);
    out.push_back(event);
    out.back()["node"] = node.name;
  }
  while (!story.recent.empty() &&
         story.recent.front().value("time_us", std::int64_t{0}) + kRemembered_us < wall_us())
    story.recent.erase(story.recent.begin());
}

void ClusterWatch::publish(ClusterLook&& look) {
  Examination of;
  const auto now = Clock::now();
  of.now_us = wall_us();
  of.seconds = std::chrono::duration<double>(now - std::exchange(looked_, now)).count();
  std::vector<Json> events;
  for (const auto& node : look.nodes) {
    if (!node.answered()) continue;
    auto& story = stories_.at(life_of(node));
    read_events(node, story, events);
    of.journals.emplace_back(node.name, Json{{"events", story.recent}});
  }
  if (before_) of.before = std::move(*before_);
  of.now = std::move(look);
  feed_.publish_look(hubctl::to_line(live_view(of)));
  std::stable_sort(events.begin(), events.end(), [](const Json& a, const Json& b) {
    return a.value("time_us", std::int64_t{0}) < b.value("time_us", std::int64_t{0});
  });
  std::vector<std::string> lines;
  for (const auto& event : events) lines.push_back(hubctl::to_line(event));
  feed_.publish_events(std::move(lines));
  before_ = std::move(of.now);
}

}  // namespace processhub::monitor
