#include "core/config/hook_options.hpp"

#include <algorithm>
#include <utility>

#include "core/config/values.hpp"
#include "processhub/hooks.hpp"

namespace processhub::config {
namespace {

constexpr std::uint64_t kMaxPriority = 1'000'000;

/// What is wrong with the name of an event; empty if nothing is.
std::string event_problem(const std::string& event) {
  auto known = hook_names();
  known.emplace_back(kAlterHook);
  if (std::find(known.begin(), known.end(), event) != known.end()) return {};
  return expected("the name of a hook", event).message + suggestion(event, known);
}

Result<void> set(HookChoice& hook, const Setting& setting) {
  if (setting.key == kHookFunction) {
    hook.function = setting.value;
  } else if (setting.key == kHookEvent) {
    if (auto text = event_problem(setting.value); !text.empty()) return {ErrorCode::invalid, text};
    hook.events.push_back(setting.value);
  } else {
    const auto priority = parse_count(setting.value, kMaxPriority);
    if (!priority) return priority.error();
    hook.priority = static_cast<int>(*priority);
  }
  return {};
}

}  // namespace

AllowedKeys hook_keys() {
  return {.single = {std::string(kHookFunction), std::string(kHookPriority)},
          .repeatable = {std::string(kHookEvent)}};
}

Result<HookChoice> make_hook(std::string id, const std::vector<Setting>& settings) {
  HookChoice hook;
  hook.id = std::move(id);
  for (const auto& setting : settings) {
    if (auto ok = set(hook, setting); !ok) {
      return {ErrorCode::invalid, setting.where + ": " + ok.error().message};
    }
  }
  return hook;
}

std::string hook_problem(const HookChoice& hook) {
  const auto what = "hook '" + hook.id + "': ";
  if (hook.function.empty()) return what + "function is missing: which one is called?";
  if (hook.events.empty()) return what + "event is missing: what is it told of?";
  for (const auto& event : hook.events) {
    if (auto text = event_problem(event); !text.empty()) return what + text;
    if (event == kAlterHook && hook.events.size() > 1)
      return what + "child_data takes a function of its own kind, so it stands alone";
    if (std::count(hook.events.begin(), hook.events.end(), event) > 1)
      return what + "event '" + event + "' is named twice";
  }
  return {};
}

}  // namespace processhub::config
