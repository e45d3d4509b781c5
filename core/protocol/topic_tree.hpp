// Who subscribed to what: patterns as a tree of their tokens, so that a message costs what its topic has
// tokens, however many patterns there are.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/protocol/event.hpp"

namespace processhub::protocol {

using Subscriber = std::pair<SubscriberKind, std::uint64_t>;

class TopicTree {
 public:
  void add(const Subscriber& subscriber, const std::string& pattern);
  void remove(const Subscriber& subscriber, const std::string& pattern);
  void remove_all(const Subscriber& subscriber);
  bool empty() const { return patterns_.empty(); }
  bool knows(const Subscriber& subscriber) const { return patterns_.contains(subscriber); }
  /// Each once, in order.
  std::set<Subscriber> match(std::string_view topic) const;
  const std::map<Subscriber, std::set<std::string>>& patterns() const { return patterns_; }

 private:
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> next{};
    std::set<Subscriber> here{};
  };
  static void collect(const Node& node, std::string_view rest, bool any_left, std::set<Subscriber>& out);
  static bool erase(Node& node, std::string_view rest, bool any_left, const Subscriber& subscriber);

  Node root_{};
  std::map<Subscriber, std::set<std::string>> patterns_{};
};

}  // namespace processhub::protocol
