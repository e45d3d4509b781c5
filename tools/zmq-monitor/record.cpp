#include "tools/zmq-monitor/record.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "core/runtime/tap.hpp"
#include "processhub/topic.hpp"
#include "tools/zmq-monitor/message_tail.hpp"
#include "tools/zmq-monitor/tables.hpp"
#include "tools/zmq-monitor/views.hpp"

namespace processhub::monitor {

namespace {

constexpr int kVersion = 1;
constexpr const char* kMark = "processhub_recording";

/// What is printed goes to another place, as long as it lives.
class PrintInto {
 public:
  explicit PrintInto(std::ostream& to) : before_(std::cout.rdbuf(to.rdbuf())) {}
  PrintInto(const PrintInto&) = delete;
  PrintInto& operator=(const PrintInto&) = delete;
  ~PrintInto() { std::cout.rdbuf(before_); }

 private:
  std::streambuf* before_;
};

Json header_of(const hubctl::Command& command, const hubctl::LookOptions& options) {
  return {{kMark, kVersion},
          {"what", command.has("messages") ? "messages" : "events"},
          {"began_us", hubctl::wall_us()},
          {"from", options.endpoints}};
}

Result<void> check_header(const Json& header) {
  if (!header.is_object() || !header.contains(kMark))
    return {ErrorCode::invalid, "this is no recording of zmq-monitor"};
  if (header[kMark] != kVersion)
    return {ErrorCode::invalid, "the recording has version " + hubctl::to_line(header[kMark]) +
                                    ", and this program reads version " + std::to_string(kVersion)};
  return {};
}

/// Every line has these, whatever else.
Result<void> check_entry(const Json& entry) {
  if (!entry.is_object()) return {ErrorCode::invalid, "not an object"};
  const auto time = entry.find("time_us");
  const auto node = entry.find("node");
  if (time == entry.end() || !time->is_number_integer() || node == entry.end() || !node->is_string())
    return {ErrorCode::invalid, "an entry needs time_us and node"};
  for (const auto* text :
       {"text", "part", "level", "hop", "kind", "peer", "child", "message", "topic", "trace"})
    if (entry.contains(text) && !entry.at(text).is_string())
      return {ErrorCode::invalid, std::string(text) + " is no text"};
  return {};
}

bool is_child(const Json& entry, const std::string& wanted) {
  if (runtime::matches_id(wanted, entry.value("child", ""))) return true;
  const auto children = entry.value("children", Json::array());
  return std::any_of(children.begin(), children.end(), [&](const Json& child) {
    return child.is_string() && runtime::matches_id(wanted, child.get<std::string>());
  });
}

bool fits(const Json& entry, const ReplayFilter& filter) {
  const auto is = [&](const char* name, const std::string& wanted) {
    return entry.value(name, "") == wanted;
  };
  if (!filter.node.empty() && !is("node", filter.node)) return false;
  if (!is_child(entry, filter.child)) return false;
  if (!filter.kind.empty() && !is("kind", filter.kind) && !is("message", filter.kind) &&
      !is("part", filter.kind))
    return false;
  if (!filter.topic.empty() &&
      (!entry.contains("topic") || !topic_matches(filter.topic, entry.value("topic", ""))))
    return false;
  return filter.subject.empty() || is("child", filter.subject) || is_about(entry, filter.subject);
}

const std::vector<hubctl::OptionRule>& filters() {
  static const std::vector<hubctl::OptionRule> kFilters = {
      {"node", "NAME", "only what this node told"},
      {"child", "ID", "only what is about this child; ID* for all whose id begins so"},
      {"kind", "KIND",
       "of messages: call, cast, reply, topic, hub, or a name; of events: moves, workers ..."},
      {"topic", "PATTERN", "of messages: only what was published under a matching topic"}};
  return kFilters;
}

void print_entry(std::ostream& out, const Json& entry) {
  if (entry.contains("text")) return print_events(out, Json::array({entry}));
  const auto since = entry.find("since_first_ms");
  print_message(out, entry, since != entry.end() && since->is_number() ? since->get<double>() : -1);
}

}  // namespace

hubctl::VerbRule record_rule(const hubctl::VerbRule& tail) {
  return {"record", "FILE " + tail.words, "tail, into a file that replay reads", 1,
          2,        tail.options,         {"record monday.jsonl --for 10m"}};
}

hubctl::VerbRule replay_rule() {
  return {"replay",
          "FILE [ID|NODE]",
          "what was recorded, without a cluster; filters as those of tail",
          1,
          2,
          filters(),
          {"replay monday.jsonl till", "replay monday.jsonl --node b --kind moves --json"}};
}

Result<int> record(const hubctl::Command& command, const hubctl::LookOptions& options, const Tail& tail) {
  const auto& file = command.words[0];
  if (std::filesystem::exists(file)) return {ErrorCode::invalid, file + " is there already"};
  std::ofstream out(file, std::ios::binary);
  out << hubctl::to_line(header_of(command, options)) << "\n" << std::flush;
  if (!out) return {ErrorCode::invalid, file + " cannot be written"};
  auto lines = command;
  lines.json = true;
  lines.words.erase(lines.words.begin());
  const PrintInto recording(out);
  const int exit = tail(lines);
  out.flush();
  if (!out) return {ErrorCode::system, file + " could not be written to its end"};
  return exit;
}

Result<void> replay_file(const hubctl::Command& command, std::ostream& out) {
  const auto& file = command.words[0];
  std::ifstream in(file, std::ios::binary);
  if (!in) return {ErrorCode::invalid, file + " cannot be read"};
  const ReplayFilter filter{command.words.size() > 1 ? command.words[1] : "", command.get("node"),
                            command.get("child"), command.get("kind"), command.get("topic")};
  if (command.has("topic"))
    if (auto fine = check_topic_pattern(filter.topic); !fine) return fine;
  return replay(in, file, filter, command.json, out);
}

Result<void> replay(std::istream& in, const std::string& name, const ReplayFilter& filter, bool json,
                    std::ostream& out) {
  std::string line;
  std::size_t number = 0;
  const auto wrong = [&](const std::string& why) {
    return Error{ErrorCode::invalid, name + ":" + std::to_string(number) + ": " + why};
  };
  while (std::getline(in, line)) {
    ++number;
    const auto entry = Json::parse(line, nullptr, false);
    if (entry.is_discarded())
      return wrong(number == 1 ? "this is no recording of zmq-monitor" : "this is no JSON");
    if (auto fine = number == 1 ? check_header(entry) : check_entry(entry); !fine)
      return wrong(fine.error().message);
    if (number == 1 || !fits(entry, filter)) continue;
    if (json) {
      out << line << "\n";
    } else {
      print_entry(out, entry);
    }
  }
  if (number > 0) return {};
  number = 1;
  return wrong("this is no recording of zmq-monitor");
}

}  // namespace processhub::monitor
