// Words of the scenario language: taking commands apart and putting answers into short text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "processhub/child.hpp"
#include "processhub/config.hpp"
#include "processhub/time.hpp"

namespace processhub::sim {

using Words = std::vector<std::string>;

Words split_words(const std::string& line);
/// Removes and returns the first word; throws std::invalid_argument if there is none.
std::string take_word(Words& words);
/// The first word must be this one.
void take_keyword(Words& words, std::string_view keyword);
Duration take_duration(Words& words);
/// Removes the last word if it is this one.
bool take_last(Words& words, std::string_view word);
bool has_on(const Words& words);
/// Removes "on NODE" at the end.
std::string take_on(Words& words);
/// Removes "NAME VALUE" anywhere.
std::optional<std::string> take_option(Words& words, std::string_view name);

/// Removes "timeout 2s"; without it the default.
std::chrono::milliseconds take_timeout(Words& words, std::chrono::milliseconds otherwise);

/// "x1..x10" becomes ten words.
std::vector<std::string> expand(const Words& words);
/// Ten words become "x1..x10"; a list that stays long becomes "167 ids".
std::string shorten(std::vector<std::string> ids);
/// x2 before x10.
bool natural_less(const std::string& a, const std::string& b);

Restart parse_restart(const std::string& text);
/// The few hub options that scenarios change: durations in text form, numbers, strategy names.
/// "a,b"; "none" is nothing.
std::vector<std::string> split_at_commas(const std::string& text);
void set_hub_option(HubConfig& config, const std::string& name, const std::string& value);

/// "a: x1 x3; b: x2", errors at the end.
std::string summary(const StartResult& result);
std::string summary(const StopResult& result);

}  // namespace processhub::sim
