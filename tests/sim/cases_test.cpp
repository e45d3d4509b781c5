// The golden scenarios in tests/cases: commands and the output they must give. PH_REWRITE=1 writes the
// present output into the files; read the difference before you keep it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "processhub/hooks.hpp"
#include "tests/sim/hooks_of_a_quorum.hpp"
#include "transport/sim/scenario.hpp"

namespace cases_test {

using namespace processhub::sim;

namespace {

std::vector<std::filesystem::path> case_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(PH_SOURCE_DIR "/tests/cases")) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  return (std::ostringstream() << in.rdbuf()).str();
}

}  // namespace

/// Every hook that a program can wait for is shown by one of the scenarios.
void check_hooks(std::set<std::string, std::less<>> seen) {
  for (const auto& told : hooks_of_a_quorum(false)) seen.insert(told.substr(0, told.find(' ')));
  for (const auto& name : processhub::hook_names()) {
    CAPTURE(name);
    CHECK(seen.contains(name));
  }
}

TEST_CASE("every golden scenario gives the output it promises, and every hook is told in one of them") {
  const bool rewrite = std::getenv("PH_REWRITE") != nullptr;
  const auto files = case_files();
  REQUIRE(files.size() >= 12);
  std::set<std::string, std::less<>> hooks;
  for (const auto& file : files) {
    CAPTURE(file.filename().string());
    const auto text = split_scenario(read(file));
    Scenario scenario;
    const auto output = scenario.run(text.commands);
    hooks.insert(scenario.hooks_seen().begin(), scenario.hooks_seen().end());
    CHECK(output.find("VIOLATION") == std::string::npos);
    if (rewrite) {
      std::ofstream(file) << text.commands << "----\n" << output;
    } else {
      CHECK(output == text.expected);
    }
  }
  check_hooks(std::move(hooks));
}

}  // namespace cases_test
