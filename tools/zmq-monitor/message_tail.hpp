// Messages of all nodes as they pass: `tail --messages`. The nodes keep what fits between two questions, and
// say how much did not.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "tools/zmq-monitor/node_lines.hpp"

namespace processhub::monitor {

using hubctl::Json;

struct MessageFilter {
  std::string node{};   ///< its name; empty: all
  std::string child{};  ///< its id, or the beginning of ids and `*`
  std::string kind{};
  std::string topic{};
};

/// {"time_us","node","hop","kind", and of these those that are known: "peer","child","message","topic",
/// "token","trace","size","body"}, from a node's answer to `tap`. A body that is too long or no msgpack is
/// left out.
Json message_of(const std::string& node, const Json& row);

/// How long a message has been under way, by the stations seen so far.
class Journeys {
 public:
  static constexpr std::size_t kKept = 20'000;
  /// Milliseconds since its first station; negative: this is it, or nothing tells which message it is.
  double since_first(const Json& message);

 private:
  std::map<std::string, std::int64_t> first_{};
  std::deque<std::string> order_{};
};

/// "12:00:00.123 a sent call order-7 add {"by":1} to b +0.231 ms 00-…".
void print_message(std::ostream& out, const Json& message, double since_first_ms);

class MessageTail {
 public:
  MessageTail(const hubctl::LookOptions& options, MessageFilter filter);
  MessageTail(const MessageTail&) = delete;
  MessageTail& operator=(const MessageTail&) = delete;
  ~MessageTail() { lines_.close(); }

  struct News {
    std::vector<Json> messages{};                                  ///< by time
    std::vector<std::pair<std::string, std::uint64_t>> dropped{};  ///< by node
    std::vector<std::string> problems{};
  };
  /// Asks every node once. False: nobody answers.
  bool read(News& news);

 private:
  const hubctl::LookOptions& options_;
  const MessageFilter filter_;
  const std::uint64_t number_;  ///< of this watcher
  NodeLines lines_;
  NodeLines::Nodes nodes_{};
};

}  // namespace processhub::monitor
