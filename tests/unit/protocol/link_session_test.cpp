#include "core/protocol/link_session.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <vector>

namespace processhub::protocol::link_session_test {
namespace {

using std::chrono::milliseconds;

/// Two ends of one session and the frames between them, which a test may lose, repeat or swap.
struct Pair {
  LinkSession a;
  LinkSession b;
  std::deque<Bytes> to_b{};
  std::deque<Bytes> to_a{};
  std::vector<std::string> got{};
  Time now{0};

  explicit Pair(SessionLimits limits = {}) : a(7, limits), b(7, limits) {}

  void flush() {
    a.flush(now, [&](Bytes f) { to_b.push_back(std::move(f)); });
    b.flush(now, [&](Bytes f) { to_a.push_back(std::move(f)); });
  }
  static bool take(LinkSession& s, Time now, const Bytes& frame, std::vector<std::string>& got) {
    std::string_view in = frame;
    REQUIRE(take_preamble(in) == FrameType::session);
    auto header = take_session_header(in);
    REQUIRE(header);
    return s.on_frame(now, *header, in, [&](const Part& p) { got.emplace_back(p.body); });
  }
  void deliver() {
    std::vector<std::string> ignored;
    while (!to_b.empty()) {
      REQUIRE(take(b, now, to_b.front(), got));
      to_b.pop_front();
    }
    while (!to_a.empty()) {
      REQUIRE(take(a, now, to_a.front(), ignored));
      to_a.pop_front();
    }
  }
  /// Turns without loss until both ends have nothing left to say.
  void settle() {
    for (int i = 0; i < 1000 && !(a.idle() && b.idle() && to_a.empty() && to_b.empty()); ++i) {
      flush();
      deliver();
      now += milliseconds(20);
    }
  }
};

std::vector<std::string> numbers(int n) {
  std::vector<std::string> out;
  for (int i = 0; i < n; ++i) out.push_back("message " + std::to_string(i));
  return out;
}

TEST_CASE("a session delivers parts in order and batches them into few frames") {
  Pair p;
  for (const auto& m : numbers(500)) CHECK(p.a.send_raw(Lane::data, 3, m));
  p.flush();
  CHECK(p.to_b.size() == 1);
  p.settle();
  CHECK(p.got == numbers(500));
  CHECK(p.a.idle());
}

TEST_CASE("a lost frame is sent again after the resend time and nothing is repeated or swapped") {
  Pair p;
  for (const auto& m : numbers(5)) {
    CHECK(p.a.send_raw(Lane::data, 3, m));
    p.flush();
  }
  REQUIRE(p.to_b.size() == 5);
  p.to_b.erase(p.to_b.begin() + 1);
  p.deliver();
  CHECK(p.got == std::vector<std::string>{"message 0"});
  p.now += milliseconds(250);
  p.settle();
  CHECK(p.got == numbers(5));
  CHECK(p.a.resends() > 0);
}

TEST_CASE("repeated and reordered frames are delivered once and in order") {
  Pair p;
  for (const auto& m : numbers(6)) {
    CHECK(p.a.send_raw(Lane::control, 3, m));
    p.flush();
  }
  REQUIRE(p.to_b.size() == 6);
  std::swap(p.to_b[1], p.to_b[4]);
  p.to_b.push_back(p.to_b[2]);
  p.to_b.push_front(p.to_b[5]);
  p.deliver();
  p.settle();
  CHECK(p.got == numbers(6));
}

TEST_CASE("a long part is cut into frames and put together again") {
  Pair p;
  std::string big(700'000, 'x');
  big += "end";
  CHECK(p.a.send_raw(Lane::data, 3, "before"));
  CHECK(p.a.send_raw(Lane::data, 3, big));
  CHECK(p.a.send_raw(Lane::data, 3, "after"));
  p.flush();
  for (const auto& f : p.to_b) CHECK(f.size() <= kFrameTarget + kSessionHeaderSize + kPartHeaderSize);
  p.settle();
  CHECK(p.got == std::vector<std::string>{"before", big, "after"});
}

TEST_CASE("a full data lane refuses and leaves the control lane alone") {
  SessionLimits limits;
  limits.ring_bytes = 1000;
  Pair p(limits);
  CHECK(p.a.send_raw(Lane::data, 3, std::string(900, 'x')));
  CHECK_FALSE(p.a.send_raw(Lane::data, 3, std::string(200, 'x')));
  CHECK(p.a.send_raw(Lane::control, 3, "probe"));
  p.settle();
  CHECK(p.a.send_raw(Lane::data, 3, std::string(900, 'x')));
}

TEST_CASE("a message over the limit is refused by the sender and by the receiver") {
  SessionLimits small;
  small.max_message = 100'000;
  LinkSession sender(7, small);
  CHECK_FALSE(sender.send_raw(Lane::data, 3, std::string(100'001, 'x')));

  LinkSession generous(7, SessionLimits{});
  LinkSession strict(7, small);
  CHECK(generous.send_raw(Lane::data, 3, std::string(300'000, 'x')));
  std::vector<std::string> got;
  bool good = true;
  generous.flush(Time{0}, [&](Bytes f) { good = good && Pair::take(strict, Time{0}, f, got); });
  CHECK_FALSE(good);
  CHECK(got.empty());
}

TEST_CASE("after a reconnect everything unacknowledged goes out again at once") {
  Pair p;
  CHECK(p.a.send_raw(Lane::data, 3, "one"));
  p.flush();
  p.to_b.clear();
  p.a.resend_at(p.now);
  p.flush();
  CHECK(p.to_b.size() == 1);
  p.settle();
  CHECK(p.got == std::vector<std::string>{"one"});
}

TEST_CASE(
    "what a full link refuses goes out soon, then less and less often, and soon again once some is "
    "confirmed") {
  Pair p;
  CHECK(p.a.send_raw(Lane::data, 3, "one"));
  p.flush();
  std::vector<Duration> waits;
  for (int i = 0; i < 8; ++i) {
    p.to_b.clear();  // the link took none of it
    p.a.refused(p.now);
    p.a.refused(p.now);  // of a second frame of the same turn
    const auto due = p.a.next_deadline();
    waits.push_back(due - p.now);
    p.now = due;
    p.flush();
    CHECK(p.to_b.size() == 1);
  }
  CHECK(waits == std::vector<Duration>{milliseconds(5), milliseconds(10), milliseconds(20), milliseconds(40),
                                       milliseconds(80), milliseconds(160), milliseconds(320),
                                       milliseconds(320)});
  p.settle();
  CHECK(p.got == std::vector<std::string>{"one"});
  CHECK(p.a.send_raw(Lane::data, 3, "two"));
  p.flush();
  p.to_b.clear();
  p.a.refused(p.now);
  CHECK(p.a.next_deadline() == p.now + milliseconds(5));
}

TEST_CASE("both ends compute the same session id and a fresh nonce changes it") {
  CHECK(session_id(1, 2, 30, 40) == session_id(2, 1, 40, 30));
  CHECK(session_id(1, 2, 30, 40) != session_id(1, 3, 30, 40));
  CHECK(session_id(1, 2, 30, 40) != session_id(2, 1, 30, 40));
}

}  // namespace
}  // namespace processhub::protocol::link_session_test
