// [hook.ID]: which function of a plugin is told of which events.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/program_options.hpp"
#include "processhub/config.hpp"

namespace processhub::config {

inline constexpr std::string_view kHookFunction = "function";
inline constexpr std::string_view kHookEvent = "event";
inline constexpr std::string_view kHookPriority = "priority";

AllowedKeys hook_keys();
/// Sets what is there; hook_problem tells what is missing.
Result<HookChoice> make_hook(std::string id, const std::vector<Setting>& settings);
/// What is wrong with a hook as a whole; empty if nothing is.
std::string hook_problem(const HookChoice& hook);

}  // namespace processhub::config
