// Names and patterns of topics, and the tree that finds who wants them.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "core/protocol/topic_tree.hpp"
#include "processhub/topic.hpp"

namespace processhub::topic_test {
namespace {

using protocol::Subscriber;
using protocol::SubscriberKind;
using protocol::TopicTree;

TEST_CASE("topic: names are tokens between dots, wildcards are whole tokens of patterns") {
  for (const char* good : {"a", "a.b", "orders.eu.new", "a-b_c.9"}) {
    CAPTURE(good);
    CHECK(check_topic(good).ok());
    CHECK(check_topic_pattern(good).ok());
  }
  for (const char* bad : {"", ".", "a.", ".a", "a..b", "a b", "a.b*", "a>"}) {
    CAPTURE(bad);
    CHECK_FALSE(check_topic(bad).ok());
    CHECK_FALSE(check_topic_pattern(bad).ok());
  }
  for (const char* pattern : {"*", ">", "a.*", "a.*.c", "*.*", "a.>"}) {
    CAPTURE(pattern);
    CHECK_FALSE(check_topic(pattern).ok());
    CHECK(check_topic_pattern(pattern).ok());
  }
  CHECK_FALSE(check_topic_pattern(">.a").ok());
  CHECK(check_topic(std::string(255, 'x')).ok());
  CHECK_FALSE(check_topic(std::string(256, 'x')).ok());
  CHECK_FALSE(check_publication("a", std::string(kMaxTopicBody + 1, 'x')).ok());
}

TEST_CASE("topic: * is one token, > one or more at the end") {
  struct Row {
    const char* pattern;
    const char* topic;
    bool matches;
  };
  for (const auto& row :
       {Row{"a.b", "a.b", true}, Row{"a.b", "a.c", false}, Row{"a", "a.b", false}, Row{"a.b", "a", false},
        Row{"a.*", "a.b", true}, Row{"a.*", "a", false}, Row{"a.*", "a.b.c", false}, Row{"*.b", "a.b", true},
        Row{"*", "a", true}, Row{"*", "a.b", false}, Row{">", "a", true}, Row{">", "a.b.c", true},
        Row{"a.>", "a.b", true}, Row{"a.>", "a.b.c", true}, Row{"a.>", "a", false},
        Row{"a.*.c", "a.b.c", true}, Row{"a.*.c", "a.b.d", false}}) {
    CAPTURE(row.pattern);
    CAPTURE(row.topic);
    CHECK(topic_matches(row.pattern, row.topic) == row.matches);
    TopicTree tree;
    tree.add({SubscriberKind::program, 1}, row.pattern);
    CHECK(tree.match(row.topic).empty() != row.matches);
  }
}

TEST_CASE("topic tree: a subscriber is found once, until its last matching pattern is gone") {
  const Subscriber one{SubscriberKind::program, 1};
  const Subscriber two{SubscriberKind::worker, 1};
  TopicTree tree;
  tree.add(one, "a.*");
  tree.add(one, "a.>");
  tree.add(one, "a.>");
  tree.add(two, "a.b");
  CHECK(tree.match("a.b") == std::set<Subscriber>{one, two});
  tree.remove(one, "a.*");
  CHECK(tree.match("a.b") == std::set<Subscriber>{one, two});
  tree.remove(one, "a.>");
  tree.remove(one, "a.>");
  CHECK(tree.match("a.b") == std::set<Subscriber>{two});
  CHECK_FALSE(tree.knows(one));
  tree.remove_all(two);
  CHECK(tree.empty());
  CHECK(tree.match("a.b").empty());
}

}  // namespace
}  // namespace processhub::topic_test
