#include "core/runtime/open_calls.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <thread>

namespace processhub::runtime::open_calls_test {
namespace {

using std::chrono::milliseconds;

struct Ended {
  int times = 0;
  std::optional<Result<Bytes>> answer{};
  CallEnd end() {
    return [this](Result<Bytes> result) {
      ++times;
      answer = std::move(result);
    };
  }
};

TEST_CASE("open calls: the first answer ends the call, later ones and the deadline do nothing") {
  OpenCalls calls;
  Ended ended;
  const auto call = calls.open("c", Time(0), milliseconds(5), ended.end());
  CHECK(calls.size() == 1);
  call->finish(Bytes("yes"));
  call->finish(Bytes("no"));
  calls.expire(Time(milliseconds(10)));
  CHECK(ended.times == 1);
  CHECK(**ended.answer == "yes");
  CHECK(calls.size() == 0);
}

TEST_CASE("open calls: at the deadline a call ends with an error that names the child and the time") {
  OpenCalls calls;
  Ended ended;
  calls.open("shop-1", Time(0), milliseconds(250), ended.end());
  CHECK(calls.earliest() == Time(milliseconds(250)));
  calls.expire(Time(milliseconds(249)));
  CHECK(ended.times == 0);
  calls.expire(Time(milliseconds(250)));
  REQUIRE(ended.times == 1);
  CHECK(ended.answer->error() == Error{ErrorCode::timeout, "child 'shop-1' did not answer within 250 ms"});
  CHECK(calls.earliest() == kNever);
}

TEST_CASE("open calls: after one expired the next deadline is the one that is left") {
  OpenCalls calls;
  Ended early;
  Ended late;
  calls.open("a", Time(0), milliseconds(10), early.end());
  calls.open("b", Time(0), milliseconds(30), late.end());
  calls.expire(Time(milliseconds(20)));
  CHECK(early.times == 1);
  CHECK(late.times == 0);
  CHECK(calls.earliest() == Time(milliseconds(30)));
}

TEST_CASE("open calls: a call without an end in sight has no deadline") {
  OpenCalls calls;
  Ended ended;
  const auto call = calls.open("a", Time(milliseconds(1)), Duration::max(), ended.end());
  CHECK(call->deadline() == kNever);
  CHECK(calls.earliest() == kNever);
}

TEST_CASE("open calls: the end of the hub ends all of them") {
  OpenCalls calls;
  Ended one;
  Ended two;
  calls.open("a", Time(0), milliseconds(10), one.end());
  calls.open("b", Time(0), milliseconds(10), two.end());
  calls.end_all({ErrorCode::stopped, "the hub stopped"});
  CHECK(one.answer->error().code == ErrorCode::stopped);
  CHECK(two.times == 1);
}

TEST_CASE("open calls: each ends exactly once when answers and deadlines race") {
  OpenCalls calls;
  std::atomic<int> ended{0};
  std::atomic<bool> done{false};
  std::thread clock([&] {
    for (Time now{1}; !done.load(); now += Time(1)) calls.expire(now);
  });
  auto caller = [&] {
    for (int i = 1; i <= 5000; ++i) {
      const auto call = calls.open("c", Time(0), Duration(i % 50), [&](Result<Bytes>) { ++ended; });
      if (i % 3 != 0) call->finish(Bytes());
    }
  };
  std::thread first(caller);
  std::thread second(caller);
  first.join();
  second.join();
  done = true;
  clock.join();
  calls.expire(kNever);
  CHECK(ended == 10'000);
  CHECK(calls.size() == 0);
}

}  // namespace
}  // namespace processhub::runtime::open_calls_test
