#include "core/protocol/messages.hpp"

#include <array>
#include <utility>

namespace processhub::protocol {

namespace {

using DecodeFn = std::optional<Message> (*)(std::string_view);

template <class M>
std::optional<Message> decode_one(std::string_view body) {
  auto m = decode_body<M>(body);
  if (!m) return std::nullopt;
  return Message(std::move(*m));
}

template <std::size_t... I>
constexpr auto decoders(std::index_sequence<I...>) {
  return std::array<DecodeFn, sizeof...(I)>{&decode_one<std::variant_alternative_t<I, Message>>...};
}

template <std::size_t... I>
constexpr auto names(std::index_sequence<I...>) {
  return std::array<std::string_view, sizeof...(I)>{std::variant_alternative_t<I, Message>::name...};
}

}  // namespace

std::optional<Message> decode_message(std::uint16_t kind, std::string_view body) {
  static constexpr auto table = decoders(std::make_index_sequence<kMessageKinds>());
  if (kind >= table.size()) return std::nullopt;
  return table[kind](body);
}

std::string_view message_kind_name(std::uint16_t kind) {
  static constexpr auto table = names(std::make_index_sequence<kMessageKinds>());
  return kind < table.size() ? table[kind] : std::string_view("unknown");
}

}  // namespace processhub::protocol
