#include "strategies/partition_tolerance/quorum_options.hpp"

#include <charconv>
#include <chrono>
#include <map>
#include <string_view>
#include <utility>

namespace processhub {
namespace {

constexpr Duration kShortestLease = std::chrono::milliseconds(200);

/// Nothing: there is none at the begin of the text. Cuts it off.
std::size_t take_number(std::string_view& text, bool& good) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  good = error == std::errc();
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

}  // namespace

QuorumOptions::QuorumOptions(const StrategyOptions& options, std::vector<std::string> own)
    : options_(options) {
  own.emplace_back("quorum_lease");
  own.emplace_back("trust_refused");
  if (auto known = reject_unknown_options(options, own); !known)
    mistake_ = std::make_unique<Error>(known.error());
}

const std::string* QuorumOptions::given(const std::string& key) const {
  const auto found = options_.find(key);
  return found == options_.end() ? nullptr : &found->second;
}

void QuorumOptions::wrong(const std::string& key, const std::string& expected) {
  const auto* text = given(key);
  if (mistake_) return;
  mistake_ = std::make_unique<Error>(
      ErrorCode::invalid,
      key + (text == nullptr ? " is missing" : " is '" + *text + "'") + ", expected " + expected);
}

std::size_t QuorumOptions::number(const std::string& key, std::size_t otherwise, std::size_t most) {
  const auto* text = given(key);
  std::string_view rest = text == nullptr ? std::string_view() : std::string_view(*text);
  bool good = text != nullptr;
  const auto value = good ? take_number(rest, good) : otherwise;
  if ((text != nullptr && !good) || !rest.empty() || value < 1 || value > most)
    wrong(key, "a number from 1 to " + std::to_string(most));
  return value;
}

bool QuorumOptions::flag(const std::string& key, bool otherwise) {
  const auto* text = given(key);
  if (text == nullptr) return otherwise;
  if (*text != "true" && *text != "false") wrong(key, "true or false");
  return *text == "true";
}

Duration QuorumOptions::duration(const std::string& key, Duration otherwise, Duration least) {
  static const std::map<std::string_view, std::chrono::milliseconds> units{
      {"ms", std::chrono::milliseconds(1)},
      {"s", std::chrono::seconds(1)},
      {"m", std::chrono::minutes(1)},
      {"h", std::chrono::hours(1)}};
  const auto* text = given(key);
  if (text == nullptr) return otherwise;
  std::string_view rest = *text;
  bool good = false;
  const auto value = take_number(rest, good);
  const auto unit = units.find(rest);
  constexpr std::size_t kMost = 1'000'000;
  const bool right = good && unit != units.end() && value <= kMost;
  const Duration out = right ? Duration(unit->second) * static_cast<std::int64_t>(value) : Duration(0);
  if (out < least)
    wrong(key, "a duration such as 500ms or 2s, at least " + std::to_string(least / Duration(1'000)) + "ms");
  return out;
}

QuorumPlan QuorumOptions::plan() {
  QuorumPlan plan;
  plan.lease = duration("quorum_lease", plan.lease, kShortestLease);
  plan.trust_refused = flag("trust_refused", plan.trust_refused);
  return plan;
}

}  // namespace processhub
