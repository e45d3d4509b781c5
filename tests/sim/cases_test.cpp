// The golden scenarios in tests/cases: commands and the output they must give. PH_REWRITE=1 writes the
// present output into the files; read the difference before you keep it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "transport/sim/scenario.hpp"

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

TEST_CASE("every golden scenario gives the output it promises") {
  const bool rewrite = std::getenv("PH_REWRITE") != nullptr;
  const auto files = case_files();
  REQUIRE(files.size() >= 12);
  for (const auto& file : files) {
    CAPTURE(file.filename().string());
    const auto text = split_scenario(read(file));
    const auto output = Scenario().run(text.commands);
    CHECK(output.find("VIOLATION") == std::string::npos);
    if (rewrite) {
      std::ofstream(file) << text.commands << "----\n" << output;
    } else {
      CHECK(output == text.expected);
    }
  }
}
