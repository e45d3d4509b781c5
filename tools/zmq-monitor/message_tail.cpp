#include "tools/zmq-monitor/message_tail.hpp"

#include <algorithm>
#include <ctime>
#include <iomanip>
#include <mutex>
#include <utility>

#include "core/runtime/identity.hpp"

namespace processhub::monitor {

namespace {

constexpr std::uint32_t kMost = 100;  // messages of a node between two questions

/// The places in a row, as the node writes them.
enum Field : std::size_t {
  kTime,
  kHop,
  kKind,
  kPeer,
  kChild,
  kMessage,
  kTopic,
  kToken,
  kTrace,
  kSize,
  kBody
};

/// Which message this is: its trace, or the call's number at the node that made it.
std::string key_of(const Json& message) {
  if (const auto trace = message.value("trace", ""); !trace.empty()) return trace;
  const auto token = message.value("token", std::uint64_t{0});
  if (token == 0 || message.value("kind", "") != "call") return {};
  const bool here = message.value("hop", "") == "sent";
  return (here ? message.value("node", "") : message.value("peer", "")) + "/" + std::to_string(token);
}

std::string clock_of(std::int64_t time_us) {
  const auto seconds = static_cast<std::time_t>(time_us / 1'000'000);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  std::ostringstream out;
  out << std::put_time(&parts, "%H:%M:%S") << '.' << std::setfill('0') << std::setw(6) << time_us % 1'000'000;
  return out.str();
}

}  // namespace

Json message_of(const std::string& node, const Json& row) {
  Json out{{"time_us", row.at(kTime)}, {"node", node}, {"hop", row.at(kHop)}, {"kind", row.at(kKind)}};
  constexpr std::pair<Field, const char*> kTexts[] = {
      {kPeer, "peer"}, {kChild, "child"}, {kMessage, "message"}, {kTopic, "topic"}, {kTrace, "trace"}};
  for (const auto& [column, name] : kTexts)
    if (!row.at(column).get_ref<const std::string&>().empty()) out[name] = row.at(column);
  if (row.at(kToken) != 0) out["token"] = row.at(kToken);
  const auto size = row.at(kSize).get<std::size_t>();
  if (size == 0) return out;
  out["size"] = size;
  const auto& bytes = row.at(kBody).get_binary();
  if (bytes.empty()) return out;
  if (auto body = hubctl::from_msgpack({reinterpret_cast<const char*>(bytes.data()), bytes.size()}))
    out["body"] = std::move(*body);
  return out;
}

double Journeys::since_first(const Json& message) {
  const auto key = key_of(message);
  if (key.empty()) return -1;
  const auto time = message.value("time_us", std::int64_t{0});
  const auto [at, fresh] = first_.try_emplace(key, time);
  if (!fresh) return static_cast<double>(time - at->second) / 1000;
  order_.push_back(key);
  if (order_.size() > kKept) {
    first_.erase(order_.front());
    order_.pop_front();
  }
  return -1;
}

void print_message(std::ostream& out, const Json& message, double since_first_ms) {
  const auto hop = message.value("hop", "");
  const auto peer = message.value("peer", "");
  out << clock_of(message.value("time_us", std::int64_t{0})) << ' ' << message.value("node", "") << ' '
      << std::left << std::setw(8) << hop << ' ' << message.value("kind", "");
  for (const char* part : {"child", "topic", "message"})
    if (message.contains(part)) out << ' ' << message.at(part).get<std::string>();
  if (message.contains("body"))
    out << ' ' << hubctl::to_line(message.at("body"));
  else if (message.contains("size"))
    out << ' ' << message.at("size") << " bytes";
  if (!peer.empty()) out << (hop == "sent" ? " to " : " from ") << peer;
  if (message.contains("token")) out << " #" << message.at("token");
  if (since_first_ms >= 0) {
    std::ostringstream time;  // keeps the caller's format as it is
    time << std::fixed << std::setprecision(3) << since_first_ms;
    out << " +" << time.str() << " ms";
  }
  if (message.contains("trace")) out << ' ' << message.at("trace").get<std::string>();
  out << '\n';
}

MessageTail::MessageTail(const hubctl::LookOptions& options, MessageFilter filter)
    : options_(options), filter_(std::move(filter)), number_(runtime::random_number()), lines_(options) {}

bool MessageTail::read(News& news) {
  if (!lines_.refresh(nodes_)) return false;
  std::erase_if(nodes_, [&](const auto& n) { return !filter_.node.empty() && n.name != filter_.node; });
  if (nodes_.empty()) news.problems.push_back("there is no node '" + filter_.node + "'");
  const hubctl::Question question{"tap",
                                  {{"watcher", number_},
                                   {"most", kMost},
                                   {"child", filter_.child},
                                   {"kind", filter_.kind},
                                   {"topic", filter_.topic}}};
  std::mutex mutex;
  lines_.each(nodes_, [&](hubctl::NodeLook& node, hubctl::AdminClient& client) {
    auto answer = hubctl::ask(client, question, options_.patience);
    const std::lock_guard lock(mutex);
    if (!answer) {
      news.problems.push_back(node.name + ": " + answer.error().message);
      if (answer.error().code == ErrorCode::timeout || answer.error().code == ErrorCode::node_down)
        node.error = answer.error().message;
      return;
    }
    if (const auto dropped = answer->value("dropped", std::uint64_t{0}); dropped > 0)
      news.dropped.emplace_back(node.name, dropped);
    for (const auto& row : answer->at("messages")) news.messages.push_back(message_of(node.name, row));
  });
  std::stable_sort(news.messages.begin(), news.messages.end(), [](const Json& a, const Json& b) {
    return a.at("time_us").get<std::int64_t>() < b.at("time_us").get<std::int64_t>();
  });
  return true;
}

}  // namespace processhub::monitor
