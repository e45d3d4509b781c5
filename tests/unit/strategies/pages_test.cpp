// Every built-in strategy has a page, and the page names every option that its code takes.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "strategies/builtin.hpp"

namespace pages_test {

using namespace processhub;

namespace {

/// Empty: there is none.
std::string page_of(const std::string& name) {
  std::ifstream file(std::string(PH_SOURCE_DIR) + "/docs/strategies/" + name + ".md");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A table's row begins with it, perhaps beside others.
bool has_row(const std::string& page, const std::string& option) {
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("|") &&
        line.substr(0, line.find('|', 1)).find("`" + option + "`") != std::string::npos)
      return true;
  }
  return false;
}

void choose(HubConfig& config, const std::string& kind, StrategyChoice choice) {
  if (kind == "distribution") config.distribution = std::move(choice);
  if (kind == "redundancy") config.redundancy = std::move(choice);
  if (kind == "migration") config.migration = std::move(choice);
  if (kind == "synchronization") config.synchronization = std::move(choice);
  if (kind == "partition_tolerance") config.partition_tolerance = std::move(choice);
}

/// As its error about an unknown one lists them.
std::vector<std::string> options_of(const std::string& kind, const std::string& name) {
  HubConfig config;
  choose(config, kind, {name, {{"no_such_option", "1"}}});
  const auto refused = builtin_strategies().build(config);
  REQUIRE_FALSE(refused);
  const std::string& text = refused.error().message;
  const std::string before = "known: ";
  const auto known = text.find(before);
  REQUIRE_MESSAGE(known != std::string::npos, text);
  std::vector<std::string> out;
  std::istringstream list(text.substr(known + before.size()));
  for (std::string option; std::getline(list >> std::ws, option, ',');)
    if (option != "none") out.push_back(option);
  return out;
}

}  // namespace

TEST_CASE(
    "pages: every built-in strategy has one, with its name, how it is chosen, and each of its options") {
  for (const auto& row : builtin_strategies().names()) {
    CAPTURE(row);
    const auto kind = row.substr(0, row.find('/'));
    const auto name = row.substr(row.find('/') + 1);
    const auto page = page_of(name);
    REQUIRE_FALSE(page.empty());
    CHECK(page.substr(0, page.find('\n')).find(name) != std::string::npos);
    std::istringstream lines(page);
    bool chosen = false;
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string key;
      std::string is;
      std::string value;
      words >> key >> is >> value;
      chosen = chosen || (key == kind && is == "=" && value == name);
    }
    CHECK_MESSAGE(chosen, kind, " = ", name, " stands in no line");
    for (const auto& option : options_of(kind, name))
      CHECK_MESSAGE(has_row(page, option), option, " has no row");
  }
}

TEST_CASE("pages: the options of replication are found in code, so that the page is really checked") {
  CHECK(options_of("redundancy", "replication") == std::vector<std::string>{"factor", "model", "signal"});
  CHECK(options_of("distribution", "rendezvous").empty());
}

}  // namespace pages_test
