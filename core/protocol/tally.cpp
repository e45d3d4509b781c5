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
    const auto count = std::to_string(group.count) + (group.count == 1 ? " child (" : " children (");
    lines.emplace_back(group.level, what + ": " + count + group.some + (group.count > kNamed ? " …)" : ")"));
  }
  groups_.clear();
  due_ = kNever;
  return lines;
}

}  // namespace processhub::protocol
