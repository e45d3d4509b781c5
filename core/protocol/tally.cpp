#include "core/protocol/tally.hpp"

#include <algorithm>

namespace processhub::protocol {

namespace {
constexpr Duration kGather = std::chrono::milliseconds(300);
constexpr std::size_t kNamed = 5;     // in the text
constexpr std::size_t kListed = 200;  // beside it
}  // namespace

void Tally::note(Time now, LogPart part, LogLevel level, std::string what, const std::string& id) {
  auto& group = groups_[std::move(what)];
  group.part = part;
  group.level = level;
  if (group.count++ < kListed) group.some.push_back(id);
  if (due_ == kNever) due_ = now + kGather;
}

std::vector<effect::Log> Tally::take_due(Time now) {
  std::vector<effect::Log> lines;
  if (now < due_) return lines;
  for (auto& [what, group] : groups_) {
    auto line = what + ": ";
    line += std::to_string(group.count);
    line += group.count == 1 ? " child (" : " children (";
    for (std::size_t i = 0; i < std::min(group.some.size(), kNamed); ++i)
      line += (i == 0 ? "" : " ") + group.some[i];
    line += group.count > kNamed ? " …)" : ")";
    lines.push_back({group.part, group.level, std::move(line), std::move(group.some)});
  }
  groups_.clear();
  due_ = kNever;
  return lines;
}

}  // namespace processhub::protocol
