#include "core/log_levels.hpp"

#include <doctest/doctest.h>

namespace log_levels_test {

using namespace processhub;

TEST_CASE("log levels: one for all, and others for components") {
  const auto levels = LogLevels::parse("warn,links=debug,moves=off");
  REQUIRE(levels);
  CHECK_FALSE(levels->enabled(LogPart::hub, LogLevel::info));
  CHECK(levels->enabled(LogPart::hub, LogLevel::warn));
  CHECK(levels->enabled(LogPart::links, LogLevel::debug));
  CHECK_FALSE(levels->enabled(LogPart::moves, LogLevel::error));
  CHECK(LogLevels::parse("trace")->enabled(LogPart::clients, LogLevel::debug));
  CHECK_FALSE(LogLevels::parse("off")->enabled(LogPart::hub, LogLevel::error));
}

TEST_CASE("log levels: mistakes are named") {
  const auto said = [](const char* text) { return LogLevels::parse(text).error().message; };
  CHECK(said("loud").find("'loud'") != std::string::npos);
  CHECK(said("").find("one of trace debug info") != std::string::npos);
  CHECK(said("info,lnks=debug").find("membership links moves") != std::string::npos);
  CHECK(said("info,links").find("'links'") != std::string::npos);
  CHECK(said("info,links=much").find("'much'") != std::string::npos);
  CHECK(said("info,").find("PART=LEVEL") != std::string::npos);
}

}  // namespace log_levels_test
