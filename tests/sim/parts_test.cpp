// The small parts of the simulator: random numbers, virtual time, fault options.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "transport/sim/sim_faults.hpp"
#include "transport/sim/sim_rng.hpp"
#include "transport/sim/sim_scheduler.hpp"

namespace parts_test {

using namespace processhub;
using namespace processhub::sim;
using namespace std::chrono_literals;

TEST_CASE("random numbers repeat with their seed and fill their range") {
  Rng a(42);
  Rng b(42);
  for (int i = 0; i < 100; ++i) CHECK(a.next() == b.next());
  std::vector<int> seen(6);
  for (int i = 0; i < 1'000; ++i)
    ++seen[static_cast<std::size_t>(a.between(std::int64_t{0}, std::int64_t{5}))];
  for (const int count : seen) CHECK(count > 100);
  CHECK_FALSE(a.chance(0));
  CHECK(a.chance(1));
  CHECK(a.below(0) == 0);
}

TEST_CASE("virtual time runs tasks when they are due, equal ones in order of addition") {
  Scheduler scheduler;
  std::string order;
  scheduler.at(2ms, [&] { order += 'c'; });
  scheduler.at(1ms, [&] {
    order += 'a';
    scheduler.after(0us, [&] { order += 'x'; });
  });
  scheduler.at(1ms, [&] { order += 'b'; });
  scheduler.at(9ms, [&] { order += '!'; });
  scheduler.run_until(5ms);
  CHECK(order == "abxc");
  CHECK(scheduler.now() == Time(5ms));
}

TEST_CASE("fault options are set by name and told as text, and wrong ones are named") {
  Faults faults;
  CHECK(faults.str().empty());
  CHECK(faults.set("loss", "0.02").ok());
  CHECK(faults.set("delay_max", "20ms").ok());
  CHECK(faults.set("keep_unsent", "false").ok());
  CHECK(faults.str() == "delay_max=20ms loss=0.02 keep_unsent=false");
  CHECK(faults.set("los", "0.1").error().message == "unknown fault option 'los'");
  CHECK_FALSE(faults.set("loss", "1.5").ok());
  CHECK_FALSE(faults.set("delay_max", "soon").ok());
  for (const auto& name : Faults::names()) {
    CAPTURE(name);
    CHECK_FALSE(faults.set(name, "nonsense").ok());
  }
}

TEST_CASE("durations are read and written in the unit that fits") {
  for (const char* text : {"0us", "250us", "20ms", "1s", "1.5s", "90s"}) {
    CAPTURE(text);
    const auto parsed = parse_duration(text);
    REQUIRE(parsed.ok());
    CHECK(format_duration(*parsed) == text);
  }
  CHECK(*parse_duration("7") == 7us);
  CHECK_FALSE(parse_duration("5 minutes").ok());
}

}  // namespace parts_test
