#include "core/runtime/callback_pool.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>

namespace processhub::runtime::callback_pool_test {
namespace {

TEST_CASE("callback pool: everything posted before stop runs, on a pool thread") {
  std::atomic<int> ran{0};
  std::atomic<int> elsewhere{0};
  CallbackPool pool(2, [](const std::string&) {});
  for (int i = 0; i < 1000; ++i) {
    pool.post([&] {
      ++ran;
      elsewhere += CallbackPool::on_pool_thread() ? 0 : 1;
    });
  }
  pool.stop();
  CHECK(ran == 1000);
  CHECK(elsewhere == 0);
  CHECK_FALSE(CallbackPool::on_pool_thread());
}

TEST_CASE("callback pool: a callback that throws is reported and the next one runs") {
  std::vector<std::string> reports;
  std::atomic<bool> next{false};
  CallbackPool pool(1, [&](std::string text) { reports.push_back(std::move(text)); });
  pool.post([] { throw std::runtime_error("oops"); });
  pool.post([] { throw 7; });
  pool.post([&] { next = true; });
  pool.stop();
  CHECK(next);
  REQUIRE(reports.size() == 2);
  CHECK(reports[0] == "a callback threw: oops");
}

TEST_CASE("callback pool: a callback may post another") {
  std::atomic<int> ran{0};
  CallbackPool pool(1, [](const std::string&) {});
  std::atomic<bool> posted{false};
  pool.post([&] {
    pool.post([&] { ++ran; });
    posted = true;
    posted.notify_one();
  });
  posted.wait(false);
  pool.stop();
  CHECK(ran == 1);
}

}  // namespace
}  // namespace processhub::runtime::callback_pool_test
