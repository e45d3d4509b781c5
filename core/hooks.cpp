#include "processhub/hooks.hpp"

#include <utility>

namespace processhub {

namespace {

template <std::size_t... I>
std::vector<std::string> names_of(std::index_sequence<I...>) {
  return {std::string(std::variant_alternative_t<I, HookEvent>::name)...};
}

}  // namespace

std::string_view hook_name(const HookEvent& event) {
  return std::visit([](const auto& e) { return e.name; }, event);
}

std::vector<std::string> hook_names() {
  return names_of(std::make_index_sequence<std::variant_size_v<HookEvent>>{});
}

}  // namespace processhub
