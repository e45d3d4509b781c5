// The simulator is only useful if it is fast: with five nodes, a thousand children and every fault of the
// network, virtual time runs far ahead of real time.
#include <doctest/doctest.h>

#include <cstdio>
#include <ctime>
#include <string>

#include "transport/sim/plan.hpp"
#include "transport/sim/swarm.hpp"

namespace speed_test {

using namespace processhub;
using namespace processhub::sim;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
constexpr double kAtLeast = 1;
#else
constexpr double kAtLeast = 100;
#endif

/// Of this thread, in seconds: busy neighbours do not count.
double thread_cpu() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace

TEST_CASE("five nodes with a thousand children under faults: virtual time is a hundred times real time") {
  std::string text =
      "seed 7\nfault delay_max 2ms\nfault delay_tail 0.01\nfault loss 0.01\nfault duplicate 0.01\nfault "
      "reorder 0.01\n"
      "fault pub_loss 0.05\nfault worker_crash 0.01\n";
  for (const char* name : {"a", "b", "c", "d", "e"}) text += std::string("0us boot ") + name + " seeds a b\n";
  text += "3s start a timeout 8s x1..x1000\n";
  std::uint64_t number = 0;
  for (int second = 5; second < 60; ++second) {
    for (int i = 0; i < 10; ++i) {
      ++number;
      text += std::to_string(second) + "s cast b x" + std::to_string(1 + number * 37 % 1000) + " 1 #" +
              std::to_string(number) + "\n";
    }
    if (second == 15) text += "15s crash c\n";
    if (second == 25) text += "25s restart c\n";
    if (second == 35) text += "35s split a b | c d e\n";
    if (second == 45) text += "45s calm\n";
  }
  const auto plan = Plan::parse(text + "60s end\n");
  REQUIRE(plan.ok());
  const auto begin = thread_cpu();
  const auto result = run_plan(*plan, {});
  const double ratio = static_cast<double>(result.virtual_time.count()) / 1e6 / (thread_cpu() - begin);
  std::printf("%.0fx real time, %zu activations\n", ratio, result.activations);
  if (result.violation) FAIL_CHECK(result.violation->invariant << ": " << result.violation->what);
  CHECK(result.activations > 1'500);
  CHECK(ratio > kAtLeast);
}

}  // namespace speed_test
