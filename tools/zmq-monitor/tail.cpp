#include "tools/zmq-monitor/tail.hpp"

#include <algorithm>
#include <iostream>
#include <mutex>

#include "tools/zmq-monitor/end_signals.hpp"
#include "tools/zmq-monitor/message_tail.hpp"
#include "tools/zmq-monitor/tables.hpp"

namespace processhub::monitor {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kEventsEvery{300};
constexpr std::chrono::milliseconds kMessagesEvery{150};
constexpr std::uint32_t kTailEvents = 200;  // of a node at once
constexpr std::uint64_t kOnlyNew = ~std::uint64_t{0} >> 1U;

std::string subject_of(const hubctl::Command& command) {
  return command.words.empty() ? "" : command.words[0];
}

/// Follows the journals of all nodes; a node's own number says where to go on.
class EventTail {
 public:
  EventTail(const hubctl::Command& command, const hubctl::LookOptions& options)
      : command_(command), options_(options), lines_(options) {}
  EventTail(const EventTail&) = delete;
  EventTail& operator=(const EventTail&) = delete;
  ~EventTail() { lines_.close(); }

  /// False: nobody answers.
  bool follow() {
    if (!lines_.refresh(nodes_)) return false;
    std::vector<std::pair<std::string, Json>> journals;
    std::mutex mutex;
    lines_.each(nodes_, [&](hubctl::NodeLook& node, hubctl::AdminClient& client) {
      auto read = ask(node, client);
      const std::lock_guard lock(mutex);
      if (read) journals.emplace_back(node.name, note(node, *read));
    });
    std::sort(journals.begin(), journals.end());
    const auto events = timeline_view(subject_of(command_), journals);
    if (!command_.json) print_events(std::cout, events);
    if (command_.json)
      for (const auto& event : events) std::cout << hubctl::to_line(event) << "\n";
    std::cout << std::flush;
    return true;
  }

 private:
  Result<Json> ask(hubctl::NodeLook& node, hubctl::AdminClient& client) {
    std::uint64_t after = kOnlyNew;
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = last_.find(life_of(node)); known != last_.end()) after = known->second;
    }
    auto read =
        hubctl::ask(client, {"events", {{"after", after}, {"limit", kTailEvents}}}, options_.patience);
    if (!read) node.error = read.error().message;
    return read;
  }
  /// Where to go on, and what was missed.
  Json note(const hubctl::NodeLook& node, const Json& read) {
    const std::lock_guard lock(mutex_);
    const auto& events = read.at("events");
    const bool fresh = last_.find(life_of(node)) == last_.end();
    const auto missed = fresh ? 0 : read.value("missed", std::uint64_t{0});
    last_[life_of(node)] = events.empty() ? read.value("last", std::uint64_t{0})
                                          : events.back().value("number", std::uint64_t{0});
    if (missed > 0) std::cerr << "zmq-monitor: " << missed << " events of " << node.name << " were missed\n";
    return read;
  }

  const hubctl::Command& command_;
  const hubctl::LookOptions& options_;
  NodeLines lines_;
  NodeLines::Nodes nodes_{};
  std::mutex mutex_{};
  std::map<std::string, std::uint64_t> last_{};  ///< by life
};

/// Messages of all nodes; what is wrong, or was dropped, goes to stderr.
class MessagePrinter {
 public:
  MessagePrinter(const hubctl::Command& command, const hubctl::LookOptions& options)
      : json_(command.json),
        tail_(options, {command.get("node"), command.get("child", subject_of(command)), command.get("kind"),
                        command.get("topic")}) {}

  bool follow() {
    MessageTail::News news;
    if (!tail_.read(news)) return false;
    for (const auto& message : news.messages) {
      const auto since = journeys_.since_first(message);
      if (!json_) {
        print_message(std::cout, message, since);
        continue;
      }
      auto line = message;
      if (since >= 0) line["since_first_ms"] = since;
      std::cout << hubctl::to_line(line) << "\n";
    }
    std::cout << std::flush;
    for (const auto& [node, dropped] : news.dropped)
      std::cerr << "zmq-monitor: " << dropped << " messages of " << node << " were dropped\n";
    for (const auto& problem : news.problems) std::cerr << "zmq-monitor: " << problem << "\n";
    return true;
  }

 private:
  const bool json_;
  Journeys journeys_{};
  MessageTail tail_;
};

template <class Follower>
Result<void> follow_until(Steady::time_point until, std::chrono::milliseconds every, Follower& follower) {
  const EndSignals ends;
  for (bool begun = false; Steady::now() < until; begun = true) {
    if (!follower.follow() && !begun) return {ErrorCode::node_down, "no node answers"};
    if (ends.come(every)) break;
  }
  return {};
}

}  // namespace

hubctl::VerbRule tail_rule() {
  return {"tail",
          "[ID|NODE]",
          "events of all nodes as they happen; a slow reader loses some and is told",
          0,
          1,
          {{"for", "TIME", "ends after this (default: when it is told to)"},
           {"messages", "", "instead of events every message that passes a node"},
           {"node", "NAME", "with --messages: only of this node"},
           {"child", "ID", "with --messages: only for this child; ID* for all whose id begins so"},
           {"kind", "KIND", "with --messages: call, cast, reply, topic, hub, or a name"},
           {"topic", "PATTERN", "with --messages: only what was published under a matching topic"}},
          {"tail --for 10s --json", "tail --messages --child till --kind call"}};
}

Result<void> run_tail(const hubctl::Command& command, const hubctl::LookOptions& options) {
  auto until = Steady::time_point::max();
  if (command.has("for")) {
    auto time = hubctl::parse_duration(command.get("for"));
    if (!time) return time.error();
    until = Steady::now() + *time;
  }
  if (command.has("messages")) {
    MessagePrinter printer(command, options);
    return follow_until(until, kMessagesEvery, printer);
  }
  for (const char* filter : {"node", "child", "kind", "topic"})
    if (command.has(filter))
      return {ErrorCode::invalid, "tail: --" + std::string(filter) + " is for --messages"};
  EventTail tail(command, options);
  return follow_until(until, kEventsEvery, tail);
}

}  // namespace processhub::monitor
