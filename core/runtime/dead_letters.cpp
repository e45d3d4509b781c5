#include "core/runtime/dead_letters.hpp"

#include <chrono>
#include <utility>

namespace processhub::runtime {

namespace {
constexpr Duration kSecond = std::chrono::seconds(1);

hook::DeadLetter take(hook::DeadLetter& from) {
  auto letter = std::move(from);
  from = {};
  from.count = 0;
  return letter;
}
}  // namespace

DeadLetters::DeadLetters() { untold_.count = unlogged_.count = 0; }

std::optional<hook::DeadLetter> DeadLetters::note(Time now, std::string_view id, std::string_view message,
                                                  std::string_view why) {
  for (auto* last : {&untold_, &unlogged_}) {
    last->id = id;
    last->message = message;
    last->why = why;
    ++last->count;
  }
  if (now - second_ >= kSecond) {
    second_ = now;
    told_ = 0;
  }
  if (told_ >= kHooksPerSecond) return std::nullopt;
  ++told_;
  return take(untold_);
}

std::optional<hook::DeadLetter> DeadLetters::due(Time now) {
  if (untold_.count == 0 || now - second_ < kSecond) return std::nullopt;
  return take(untold_);
}

std::optional<std::string> DeadLetters::line(Time now) {
  if (unlogged_.count == 0 || now - logged_ < kSecond) return std::nullopt;
  logged_ = now;
  const auto last = take(unlogged_);
  const auto many = last.count == 1 ? std::string("a message") : std::to_string(last.count) + " messages";
  return many + " without a taker, " + (last.count == 1 ? "" : "the last: ") + "'" + last.message +
         "' for '" + last.id + "': " + last.why;
}

}  // namespace processhub::runtime
