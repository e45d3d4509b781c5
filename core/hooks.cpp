#include "processhub/hooks.hpp"

#include <utility>

#include "core/listed.hpp"

namespace processhub {

namespace {

template <std::size_t... I>
std::vector<std::string> names_of(std::index_sequence<I...>) {
  return {std::string(std::variant_alternative_t<I, HookEvent>::name)...};
}

/// `function` by name, or what there is instead.
template <class Functions>
Result<typename Functions::mapped_type> find(const Functions& functions, const HookChoice& hook) {
  const auto found = functions.find(hook.function);
  if (found != functions.end()) return found->second;
  return {ErrorCode::invalid, "hook '" + hook.id + "': there is no function '" + hook.function + "' for " +
                                  hook.events.front() +
                                  "; there are: " + listed(functions, [](const auto& f) { return f.first; })};
}

}  // namespace

std::string_view hook_name(const HookEvent& event) {
  return std::visit([](const auto& e) { return e.name; }, event);
}

std::vector<std::string> hook_names() {
  return names_of(std::make_index_sequence<std::variant_size_v<HookEvent>>{});
}

HookFunctions& HookFunctions::add(std::string name, Handler handler) {
  handlers_[std::move(name)] = std::move(handler);
  return *this;
}

HookFunctions& HookFunctions::add_alter(std::string name, Alter alter) {
  alters_[std::move(name)] = std::move(alter);
  return *this;
}

Result<std::vector<Hook>> HookFunctions::make(const HubConfig& config) const {
  std::vector<Hook> out;
  for (const auto& choice : config.hooks) {
    const HookSource source{config.hub_id, choice.id};
    if (choice.events.front() == kAlterHook) {
      auto alter = find(alters_, choice);
      if (!alter) return alter.error();
      out.push_back({choice.id,
                     std::string(kAlterHook),
                     choice.priority,
                     {},
                     [source, alter = std::move(*alter)](ChildSpec& spec) { alter(source, spec); }});
      continue;
    }
    const auto handler = find(handlers_, choice);
    if (!handler) return handler.error();
    for (const auto& event : choice.events) {
      out.push_back({choice.id,
                     event,
                     choice.priority,
                     [source, handler = *handler](const HookEvent& e) { handler(source, e); },
                     {}});
    }
  }
  return out;
}

}  // namespace processhub
