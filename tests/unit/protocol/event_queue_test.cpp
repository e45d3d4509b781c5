#include "core/protocol/event_queue.hpp"

#include <doctest/doctest.h>

namespace processhub::protocol::event_queue_test {
namespace {

using std::chrono::seconds;

Event named(const std::string& name) { return event::DispatchEvent{name, {}, Scope::local, 0}; }

std::string next(EventQueue& q) {
  auto item = q.pop();
  return item ? std::get<event::DispatchEvent>(item->first).name : "";
}

TEST_CASE("events leave by priority and in order within one") {
  EventQueue q;
  q.push(0, named("first"), Time{0});
  q.push(0, named("second"), Time{0});
  q.push(5, named("urgent"), Time{0});
  CHECK(next(q) == "urgent");
  CHECK(next(q) == "first");
  CHECK(next(q) == "second");
  CHECK_FALSE(q.pop());
}

TEST_CASE("an event below the level waits until the last holder is gone") {
  EventQueue q;
  auto one = q.lock(EventQueue::Holder::user, "one", kLockedLevel, Time{0});
  auto two = q.lock(EventQueue::Holder::redistribution, "two", 5, Time{0});
  q.push(7, named("waits"), Time{0});
  q.push(10, named("passes"), Time{0});
  CHECK(q.level() == kLockedLevel);
  CHECK(next(q) == "passes");
  CHECK_FALSE(q.pop());
  CHECK(q.unlock(one));
  CHECK_FALSE(q.unlock(one));
  CHECK(q.level() == 5);
  CHECK(next(q) == "waits");
  CHECK(q.unlock(two));
  CHECK(q.level() == 0);
}

TEST_CASE("a lock may refuse what is below its level instead of keeping it") {
  EventQueue q;
  auto keeps = q.lock(EventQueue::Holder::user, "keeps", kLockedLevel, Time{0});
  CHECK_FALSE(q.discards(0));
  auto refuses = q.lock(EventQueue::Holder::user, "refuses", 5, Time{0}, true);
  CHECK(q.discards(4));
  CHECK_FALSE(q.discards(5));
  CHECK(q.unlock(refuses));
  CHECK_FALSE(q.discards(4));
  CHECK(q.unlock(keeps));
}

TEST_CASE("some events can be taken out while they wait, the others stay in order") {
  EventQueue q;
  q.lock(EventQueue::Holder::user, "waits", kLockedLevel, Time{0});
  q.push(0, named("a"), Time{0});
  q.push(5, event::StartChildren{}, Time{0});
  q.push(0, event::StartChildren{}, Time{0});
  q.push(0, named("b"), Time{0});
  const auto starts =
      q.take_if([](const Event& e) { return std::holds_alternative<event::StartChildren>(e); });
  CHECK(starts.size() == 2);
  CHECK(q.size() == 2);
  q.free_overdue(seconds(60), seconds(60));
  CHECK(next(q) == "a");
  CHECK(next(q) == "b");
}

TEST_CASE(
    "a lock held too long is freed by the deadlock timeout, those of joining and of the quorum are not") {
  EventQueue q;
  q.lock(EventQueue::Holder::joining, "joining", kLockedLevel, Time{0});
  q.lock(EventQueue::Holder::quorum, "no quorum", kLockedLevel, Time{0});
  q.lock(EventQueue::Holder::user, "forgotten", kLockedLevel, Time{0});
  CHECK(q.next_deadline(seconds(60)) == seconds(60));
  CHECK(q.free_overdue(seconds(59), seconds(60)).empty());
  CHECK(q.free_overdue(seconds(60), seconds(60)) == std::vector<std::string>{"forgotten"});
  CHECK(q.holders() == 2);
  CHECK(q.level() == kLockedLevel);
}

}  // namespace
}  // namespace processhub::protocol::event_queue_test
