#include "core/protocol/topic_tree.hpp"

namespace processhub::protocol {

namespace {

struct Split {
  std::string_view token{};
  std::string_view rest{};
  bool any_left = false;
};

Split split(std::string_view name) {
  const auto dot = name.find('.');
  if (dot == std::string_view::npos) return {name, {}, false};
  return {name.substr(0, dot), name.substr(dot + 1), true};
}

}  // namespace

void TopicTree::add(const Subscriber& subscriber, const std::string& pattern) {
  if (!patterns_[subscriber].insert(pattern).second) return;
  auto* node = &root_;
  for (Split s{{}, pattern, true}; s.any_left;) {
    s = split(s.rest);
    auto& next = node->next[std::string(s.token)];
    if (!next) next = std::make_unique<Node>();
    node = next.get();
  }
  node->here.insert(subscriber);
}

/// True: nothing is left below.
bool TopicTree::erase(Node& node, std::string_view rest, bool any_left, const Subscriber& subscriber) {
  if (!any_left) {
    node.here.erase(subscriber);
  } else {
    const auto s = split(rest);
    const auto next = node.next.find(s.token);
    if (next != node.next.end() && erase(*next->second, s.rest, s.any_left, subscriber))
      node.next.erase(next);
  }
  return node.here.empty() && node.next.empty();
}

void TopicTree::remove(const Subscriber& subscriber, const std::string& pattern) {
  const auto known = patterns_.find(subscriber);
  if (known == patterns_.end() || known->second.erase(pattern) == 0) return;
  if (known->second.empty()) patterns_.erase(known);
  erase(root_, pattern, true, subscriber);
}

void TopicTree::remove_all(const Subscriber& subscriber) {
  const auto known = patterns_.find(subscriber);
  if (known == patterns_.end()) return;
  for (const auto& pattern : known->second) erase(root_, pattern, true, subscriber);
  patterns_.erase(known);
}

void TopicTree::collect(const Node& node, std::string_view rest, bool any_left, std::set<Subscriber>& out) {
  if (!any_left) {
    out.insert(node.here.begin(), node.here.end());
    return;
  }
  const auto s = split(rest);
  if (const auto all = node.next.find(">"); all != node.next.end())
    out.insert(all->second->here.begin(), all->second->here.end());
  for (const auto token : {std::string_view("*"), s.token}) {
    const auto next = node.next.find(token);
    if (next != node.next.end()) collect(*next->second, s.rest, s.any_left, out);
  }
}

std::set<Subscriber> TopicTree::match(std::string_view topic) const {
  std::set<Subscriber> out;
  if (!patterns_.empty()) collect(root_, topic, true, out);
  return out;
}

}  // namespace processhub::protocol
