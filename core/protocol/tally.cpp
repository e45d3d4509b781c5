#include "core/protocol/tally.hpp"

namespace processhub::protocol {

namespace {
constexpr Duration kGather = std::chrono::milliseconds(300);
constexpr std::uint64_t kNamed = 5;
}  // namespace

void Tally::note(Time now, LogLevel level, std::string what, const std::string& id) {
  auto& group = groups_[std::move(what)];
  group.level = level;
  if (group.count++ < kNamed) group.some += (group.some.empty() ? "" : " ") + id;
  if (due_ == kNever) due_ = now + kGather;
}

std::vector<std::pair<LogLevel, std::string>> Tally::take_due(Time now) {
  std::vector<std::pair<LogLevel, std::string>> lines;
  if (now < due_) return lines;
  for (const auto& [what, group] : groups_) {
    auto line = what + ": ";
    line += std::to_string(group.count);
    line += group.count == 1 ? " child (" : " children (";
    line += group.some;
    line += group.count > kNamed ? " …)" : ")";
    lines.emplace_back(group.level, std::move(line));
  }
  groups_.clear();
  due_ = kNever;
  return lines;
}

}  // namespace processhub::protocol
