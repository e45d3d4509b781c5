// The one table of options: INI name, where the value lives, unit and meaning. Files, command-line flags,
// checks,
// --print-config and the docs all come from it; defaults come from a default-constructed HubConfig.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "processhub/config.hpp"

namespace processhub::config {

enum class Unit : std::uint8_t {
  text,
  address,
  file,
  choice,
  log_levels,
  strategy,
  number,
  count,
  bytes,
  duration,
  flag
};

using Member =
    std::variant<std::string HubConfig::*, std::vector<std::string> HubConfig::*, double HubConfig::*,
                 std::uint32_t HubConfig::*, std::uint64_t HubConfig::*, HubConfig::ms HubConfig::*,
                 StrategyChoice HubConfig::*, std::string SecurityConfig::*, bool SecurityConfig::*>;

struct Option {
  std::string_view name;  ///< key in a file, and the flag without its dashes
  Member member;
  Unit unit;
  std::string_view help;
  std::uint64_t least = 0;        ///< smallest value of a count, size (bytes) or duration (ms)
  std::string_view choices = "";  ///< allowed words, separated by one space

  bool repeatable() const { return std::holds_alternative<std::vector<std::string> HubConfig::*>(member); }
};

/// The id of the hub: `id` in section [hub], --hub.id on a command line.
inline constexpr std::string_view kHubId = "hub.id";

std::span<const Option> hub_options();
const Option* find_hub_option(std::string_view name);
std::vector<std::string> hub_option_names();
/// "duration", "bytes", … for people.
std::string unit_text(const Option& option);

/// Sets the member; `values` holds one value unless the option is repeatable. Error: what was expected.
Result<void> set_option(HubConfig& config, const Option& option, const std::vector<std::string>& values);
/// The member as text, as a file would have it; several values for a repeatable option, none for an empty
/// one.
std::vector<std::string> option_values(const HubConfig& config, const Option& option);
/// Ranges and choices of one option. Error: what was expected.
Result<void> check_option(const HubConfig& config, const Option& option);

/// The sections that hold the options of strategies, and the choice that each belongs to.
struct StrategyKind {
  std::string_view name;
  StrategyChoice HubConfig::*choice;
};
std::span<const StrategyKind> strategy_kinds();
const StrategyKind* find_strategy_kind(std::string_view name);

}  // namespace processhub::config
