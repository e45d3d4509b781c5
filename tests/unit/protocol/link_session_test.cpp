#include "core/protocol/link_session.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
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

TEST_CASE("a lane that is empty takes one message of any permitted size, and a reason has room of its own") {
  SessionLimits limits;
  limits.ring_bytes = 1000;
  Pair p(limits);
  CHECK(p.a.send_raw(Lane::data, 3, std::string(200'000, 'x')));
  CHECK_FALSE(p.a.send_raw(Lane::data, 3, std::string(70'000, 'y')));
  CHECK(p.a.send_raw(Lane::data, 3, "small ones have room beside it"));
  Pair q(limits);
  CHECK(q.a.send_raw(Lane::data, 3, std::string(1000, 'x')));
  CHECK_FALSE(q.a.send_raw(Lane::data, 3, "why"));
  CHECK(q.a.send_raw(Lane::data, 3, "why", {LaneQueue::kLast, Sending::kSpare}));
  q.settle();
  CHECK(q.got.size() == 2);
}

/// A line from a to b that carries so many bytes a millisecond and takes whatever is sent; the way back takes
/// `way_back`.
struct NarrowLine {
  Pair ends;
  std::size_t bytes_a_millisecond;
  Duration way_back{};
  std::deque<std::pair<Time, Bytes>> coming_back{};
  std::size_t on_the_line = 0;
  std::size_t most_on_the_line = 0;
  double budget = 0;

  explicit NarrowLine(std::size_t rate, SessionLimits limits = {})
      : ends(limits), bytes_a_millisecond(rate) {}

  void step() {
    const auto before = ends.to_b.size();
    ends.flush();
    for (auto i = before; i < ends.to_b.size(); ++i) on_the_line += ends.to_b[i].size();
    most_on_the_line = std::max(most_on_the_line, on_the_line);
    budget = ends.to_b.empty() ? 0 : budget + static_cast<double>(bytes_a_millisecond);
    while (!ends.to_b.empty() && budget >= static_cast<double>(ends.to_b.front().size())) {
      budget -= static_cast<double>(ends.to_b.front().size());
      on_the_line -= ends.to_b.front().size();
      REQUIRE(Pair::take(ends.b, ends.now, ends.to_b.front(), ends.got));
      ends.to_b.pop_front();
    }
    for (; !ends.to_a.empty(); ends.to_a.pop_front())
      coming_back.emplace_back(ends.now + way_back, std::move(ends.to_a.front()));
    std::vector<std::string> ignored;
    for (; !coming_back.empty() && coming_back.front().first <= ends.now; coming_back.pop_front())
      REQUIRE(Pair::take(ends.a, ends.now, coming_back.front().second, ignored));
    ends.now += milliseconds(1);
  }
};

TEST_CASE("on a narrow line a large message holds up the other lane only briefly, and still fills the line") {
  for (const std::size_t rate : {250U, 1'000U, 10'000U}) {  // 2, 8 and 80 Mbit/s
    CAPTURE(rate);
    SessionLimits limits;
    limits.ring_bytes = limits.max_message = 1U << 30;
    NarrowLine line(rate, limits);
    REQUIRE(line.ends.a.send_raw(Lane::data, 3, std::string(rate * 8'000, 'x')));  // eight seconds of it
    std::size_t seen = 0;
    std::size_t probes = 0;
    Time said = kNever;
    Duration longest{};
    for (bool arrived = false; !arrived;) {
      REQUIRE(line.ends.now < milliseconds(20'000));
      if (said == kNever && line.ends.now.count() % 200'000 == 0) {
        REQUIRE(line.ends.a.send_raw(Lane::control, 3, "probe"));
        said = line.ends.now;
      }
      line.step();
      for (; seen < line.ends.got.size(); ++seen) {
        if (line.ends.got[seen] == "probe") {
          ++probes;
          longest = std::max(longest, line.ends.now - std::exchange(said, kNever));
        } else {
          arrived = true;
        }
      }
    }
    CHECK(probes >= 8);
    CHECK(longest < milliseconds(800));
    CHECK(line.ends.now < milliseconds(9'500));
    CHECK(line.ends.a.resends() <= 8);
  }
}

TEST_CASE("a quick line gets a window as large as it may be") {
  NarrowLine line(200'000);
  REQUIRE(line.ends.a.send_raw(Lane::data, 3, std::string(64U << 20, 'x')));
  while (line.ends.got.empty()) line.step();
  CHECK(line.ends.now < milliseconds(700));
  CHECK(line.most_on_the_line <= SessionLimits{}.window_bytes);
}

TEST_CASE("a long line is filled as a short one is: what takes long by itself waits for nothing") {
  NarrowLine line(20'000);
  line.way_back = milliseconds(300);
  REQUIRE(line.ends.a.send_raw(Lane::data, 3, std::string(60U << 20, 'x')));  // 3.1 s of it
  while (line.ends.got.empty()) line.step();
  CHECK(line.ends.now < milliseconds(7'000));
  CHECK(line.ends.a.resends() <= 2);  // until it knows how long it takes
}

TEST_CASE("a peer that reads nothing gets no more than a window, however long and much is sent") {
  Pair p;
  std::size_t sent = 0;
  std::size_t refused = 0;
  for (int ms = 0; ms < 10'000; ms += 5) {
    for (int i = 0; i < 20; ++i) refused += p.a.send_raw(Lane::data, 3, std::string(10'000, 'x')) ? 0 : 1;
    p.a.flush(p.now, [&](Bytes f) {
      sent += f.size();
      p.to_b.push_back(std::move(f));
    });
    p.now += milliseconds(5);
  }
  CHECK(refused > 30'000);
  CHECK(p.a.queued_bytes(Lane::data) <= SessionLimits{}.ring_bytes);
  CHECK(sent < 1'500'000);
  CHECK(sent >= p.a.under_way(Lane::data));
  const auto before = p.got.size();
  p.settle();  // it goes on
  CHECK(p.got.size() == before + 40'000 - refused);
}

TEST_CASE("when all that was under way is lost on a connection that lives, it comes after two questions") {
  Pair p;
  for (const auto& m : numbers(30)) {
    CHECK(p.a.send_raw(Lane::data, 3, m));
    p.flush();
  }
  REQUIRE(p.to_b.size() == 30);
  p.to_b.clear();
  p.now += milliseconds(200);
  p.flush();
  CHECK(p.to_b.size() == 1);
  p.deliver();
  CHECK(p.got.size() == 1);
  p.now += milliseconds(10);  // it confirms
  p.flush();
  p.deliver();
  CHECK(p.to_b.empty());  // the rest may only be late
  p.now = p.a.next_deadline();
  CHECK(p.now < milliseconds(1'000));
  p.flush();
  p.deliver();
  CHECK(p.got == numbers(30));
}

/// The texts of the frame that goes next; "piece" for one of a long message.
std::vector<std::string> next_of(LaneQueue& queue) {
  const auto frame = queue.take();
  CHECK(frame.size() <= kSessionHeaderSize + kFrameTarget);
  if (LaneQueue::is_fragment(frame)) return {"piece"};
  std::vector<std::string> out;
  std::string_view rest = std::string_view(frame).substr(kSessionHeaderSize);
  while (!rest.empty()) {
    const auto part = take_part(rest);
    REQUIRE(part);
    out.emplace_back(part->body);
  }
  return out;
}
using Texts = std::vector<std::string>;

TEST_CASE("flows of a lane take turns, in order each, and small messages of them travel together") {
  LaneQueue queue;
  const std::string half(40'000, 'f');
  for (int i = 0; i < 4; ++i) queue.push(1, 3, half + std::to_string(i));  // a flood: a frame each
  queue.push(2, 3, "a");
  queue.push(9, 3, std::string(30'000, 'b'));
  queue.push(2, 3, "c");
  CHECK(next_of(queue) == Texts{half + "0", "a", "c"});
  CHECK(next_of(queue) == Texts{std::string(30'000, 'b')});
  CHECK(next_of(queue) == Texts{half + "1"});
  queue.push(1, 3, "last");
  queue.push(60, 3, "d");
  CHECK(next_of(queue) == Texts{"d", half + "2"});
  CHECK(next_of(queue) == Texts{half + "3", "last"});
  CHECK(queue.empty());
}

TEST_CASE("between the pieces of a long message go the short ones of others, but no piece of another") {
  LaneQueue queue;
  queue.push(1, 3, std::string(150'000, 'x'));
  queue.push(1, 3, "behind it");
  queue.push(2, 3, "first");
  queue.push(2, 3, std::string(100'000, 'y'));
  queue.push(LaneQueue::kLast, 3, "goodbye");
  CHECK(next_of(queue) == Texts{"piece"});
  CHECK(next_of(queue) == Texts{"first"});
  queue.push(3, 3, "late");
  CHECK(next_of(queue) == Texts{"late"});
  CHECK(next_of(queue) == Texts{"piece"});
  CHECK(next_of(queue) == Texts{"piece"});  // the last of the first
  CHECK(next_of(queue) == Texts{"piece"});
  CHECK(next_of(queue) == Texts{"behind it"});
  CHECK(next_of(queue) == Texts{"piece"});
  CHECK(next_of(queue) == Texts{"goodbye"});
  CHECK(queue.empty());
}

TEST_CASE("a message of 64 MiB to one child holds up calls to another child of that node only briefly") {
  NarrowLine line(10'000);  // 80 Mbit/s: the long one takes 6.7 s
  auto& p = line.ends;
  REQUIRE(p.a.send_raw(Lane::data, 3, std::string(64U << 20, 'x'), Sending::in_flow(1)));
  std::size_t answered = 0;
  bool arrived = false;
  REQUIRE(p.a.send_raw(Lane::data, 3, "call", Sending::in_flow(2)));
  for (std::size_t seen = 0; !arrived;) {
    REQUIRE(p.now < milliseconds(9'000));
    line.step();
    for (; seen < p.got.size(); ++seen) {
      arrived = arrived || p.got[seen] != "call";
      if (p.got[seen] != "call") continue;
      ++answered;
      REQUIRE(p.a.send_raw(Lane::data, 3, "call", Sending::in_flow(2)));
    }
  }
  CHECK(answered > 20);
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
