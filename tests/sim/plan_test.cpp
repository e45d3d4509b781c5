// Plans: what a seed did, written down, played again and made smaller. Those in tests/sim/plans broke an
// invariant once, because of a bug of the product; the first line says what it taught.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/sim/tiny_core.hpp"
#include "transport/sim/plan.hpp"
#include "transport/sim/shrink.hpp"
#include "transport/sim/swarm.hpp"

namespace plan_test {

using namespace processhub;
using namespace processhub::sim;
using namespace std::chrono_literals;

namespace {

std::vector<std::filesystem::path> plan_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(PH_SOURCE_DIR "/tests/sim/plans"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

Plan plan_of(const std::string& text) {
  auto plan = Plan::parse(text);
  if (!plan) FAIL(plan.error().message);
  return std::move(*plan);
}

std::string error_of(const std::string& text) {
  auto plan = Plan::parse(text);
  return plan ? "none" : plan.error().message;
}

}  // namespace

TEST_CASE("plans that once found a bug stay clean") {
  const auto files = plan_files();
  REQUIRE(files.size() >= 6);
  for (const auto& file : files) {
    CAPTURE(file.filename().string());
    std::ifstream in(file);
    const auto result = run_plan(plan_of((std::ostringstream() << in.rdbuf()).str()), {});
    if (result.violation) FAIL_CHECK(result.violation->invariant << ": " << result.violation->what);
    CHECK(result.operations > 0);
  }
}

TEST_CASE("the plan of a seed plays the same history again, also from its text") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    TraceTail first(0);
    std::string setup;
    const auto result = run_swarm(seed, {}, [&](const std::string& line) {
      if (setup.empty()) {
        setup = line;
      } else {
        first.add(line);
      }
    });
    CHECK(setup == result.setup);
    TraceTail second(0);
    const auto plan = plan_of(result.plan.str());
    CHECK(plan.str() == result.plan.str());
    run_plan(plan, {}, [&](const std::string& line) { second.add(line); });
    CHECK(first.count() == second.count());
    CHECK(first.hash() == second.hash());
  }
}

TEST_CASE("a plan that cannot be read says where and why") {
  CHECK(error_of("seed x\n") == "line 1 'seed x': 'x' is no number");
  CHECK(error_of("# fine\n1s fly a\n") == "line 2 '1s fly a': unknown verb 'fly'");
  CHECK(error_of("soon crash a\n").find("a line begins with") != std::string::npos);
  CHECK(error_of("option spec_copys 1\n").find("unknown option spec_copys") != std::string::npos);
  CHECK(error_of("fault los 1\n").find("unknown fault option") != std::string::npos);
  CHECK(error_of("2s crash a\n1s crash b\n").find("earlier") != std::string::npos);
  CHECK(error_of("1s\n").find("a verb is missing") != std::string::npos);
  CHECK(error_of("0us boot a seeds a\n9s end\nrest calm\n") == "none");
}

TEST_CASE("lines about nodes that are not there do nothing") {
  const auto result = run_plan(plan_of("0us boot a seeds a\n1s crash z\n1s pause z 1s\n1s cut a z\n1s start "
                                       "z c1\n1s clog z a 1s\n2s end\n"),
                               {});
  CHECK_FALSE(result.violation);
  CHECK(result.activations == 1);  // of the probe at the end: a start and a stop
}

TEST_CASE("every verb of a plan is understood and leaves a cluster that comes to rest") {
  const auto result =
      run_plan(plan_of("seed 5\nfault loss 0.01\nclocks 10s\n"
                       "0us boot a seeds a b\n0us boot b seeds a b\n0us boot c next_version seeds a\n"
                       "1s start a timeout 2s rollback unchecked x1..x30/counter/red y/slow//transient\n"
                       "2s call b x1 add 5 #1 1s\n2s cast c x2 1 #2\n2s broadcast a red\n"
                       "2s metadata a x1 k=v\n2s crash_child b x3\n2s restart_child b x3\n"
                       "3s lock a 200ms\n3s dispatch a global\n3s stop b timeout 2s x5 x6\n"
                       "4s stop_prefix a x1\n4s stop_tag a red\n5s flap a b 200ms 3\n7s slow b 20ms\n"
                       "8s jump c 2s\n9s pause a 300ms\n10s clog a b 100ms\n11s reset a c\n"
                       "12s one_way a b\n13s calm\n14s cut a c\n15s calm\n15s leave c\n"
                       "17s boot d at c seeds a b\n19s vanish b\n20s crash d\n21s restart b\n"
                       "22s split a | b\n25s end\nrest split a | b\n"),
               {});
  if (result.violation) FAIL_CHECK(result.violation->invariant << ": " << result.violation->what);
  CHECK(result.operations >= 14);
}

TEST_CASE("shrinking leaves what breaks and takes out everything else") {
  SwarmOptions options;
  options.make_core = tiny_cores(Bug::undoes_a_stop);
  const auto plan = plan_of(
      "fault loss 0.1\nfault pub_loss 0.2\nclocks 5s\noption spec_copies 1\n0us boot a seeds a\n"
      "1s start a timeout 2s x1..x40/counter/red y z\n2s call a y add 1 #1 1s\n"
      "3s stop a timeout 1s x5\n4s start a q\n5s call a q add 1 #2 1s\n9s end\nrest calm\n");
  const auto first = run_plan(plan, options);
  REQUIRE(first.violation);
  CHECK(first.violation->invariant == "I3");
  const auto shrunk = shrink(plan, "I3", options, 500);
  CHECK(shrunk.violation.invariant == "I3");
  CHECK(shrunk.plan.str() == shrink(plan, "I3", options, 500).plan.str());
  CHECK(shrunk.plan.actions.size() == 3);
  CHECK(shrunk.plan.faults.str().empty());
  CHECK(shrunk.plan.rest.empty());
  const auto played = run_plan(plan_of(shrunk.plan.str()), options);
  REQUIRE(played.violation);
  CHECK(played.violation->invariant == "I3");
}

}  // namespace plan_test
