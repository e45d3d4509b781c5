// What everybody needs to know of messages without being able to encode one: PROCESSHUB_FIELDS, wire names
// and encoded values. encode, encode_named and decode are only declared here; their bodies (and with them
// msgpack, most of the compile time of a typical file) come with <processhub/message.hpp>. A file that sends
// or handles typed messages and does not include it does not link.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "processhub/export.hpp"
#include "processhub/result.hpp"

/// Inside a struct, after its fields: PROCESSHUB_FIELDS(a, b, c). An empty list is allowed. ph_fields() gives
/// something to call with a function that takes all fields: a tuple of references would cost every file that
/// only sees the struct, a generic lambda costs those that use it (and, unlike a member template, is allowed
/// in a struct inside a function).
#define PROCESSHUB_FIELDS(...)                                                \
  static constexpr std::string_view ph_field_names() { return #__VA_ARGS__; } \
  auto ph_fields() {                                                          \
    return [&](auto&& use) -> decltype(auto) { return use(__VA_ARGS__); };    \
  }                                                                           \
  auto ph_fields() const {                                                    \
    return [&](auto&& use) -> decltype(auto) { return use(__VA_ARGS__); };    \
  }

namespace processhub {

/// An encoded payload (msgpack unless the user sends raw bytes).
using Bytes = std::string;

namespace detail {

template <class T>
concept HasFields = requires(T& t) {
  { T::ph_field_names() } -> std::convertible_to<std::string_view>;
  t.ph_fields();
};

/// The i-th name of "a, b, c".
constexpr std::string_view field_name(std::string_view names, std::size_t index) {
  while (index-- > 0) names.remove_prefix(names.find(',') + 1);
  names = names.substr(0, names.find(','));
  while (!names.empty() && names.front() == ' ') names.remove_prefix(1);
  while (!names.empty() && names.back() == ' ') names.remove_suffix(1);
  return names;
}

template <class T>
constexpr std::string_view raw_type_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  auto begin = text.find("T = ") + 4;
  auto end = text.find_first_of(";]", begin);
  text = text.substr(begin, end - begin);
  if (text.find('<') == std::string_view::npos) {
    if (auto colon = text.rfind("::"); colon != std::string_view::npos) text.remove_prefix(colon + 2);
  }
  return text;
}

constexpr bool upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// GetBoth -> get_both, HTTPRequest -> http_request.
template <class T>
struct SnakeName {
  static constexpr std::string_view source = raw_type_name<T>();
  static constexpr bool starts_word(std::size_t i) {
    if (i == 0 || !upper(source[i])) return false;
    return lower_or_digit(source[i - 1]) ||
           (i + 1 < source.size() && lower_or_digit(source[i + 1]) && source[i - 1] != '_');
  }
  static constexpr std::size_t size() {
    std::size_t n = source.size();
    for (std::size_t i = 0; i < source.size(); ++i) n += starts_word(i) ? 1 : 0;
    return n;
  }
  static constexpr auto make() {
    std::array<char, size()> out{};
    std::size_t at = 0;
    for (std::size_t i = 0; i < source.size(); ++i) {
      if (starts_word(i)) out[at++] = '_';
      out[at++] = upper(source[i]) ? static_cast<char>(source[i] - 'A' + 'a') : source[i];
    }
    return out;
  }
  static constexpr auto chars = make();
};

}  // namespace detail

/// The name a message travels under: its unqualified type name in snake_case, or its own `ph_name`.
template <class T>
constexpr std::string_view message_name() {
  if constexpr (requires { std::string_view(T::ph_name); }) {
    return T::ph_name;
  } else {
    static_assert(detail::raw_type_name<T>().find('<') == std::string_view::npos,
                  "a template has no wire name: give the type a static constexpr std::string_view ph_name");
    return std::string_view(detail::SnakeName<T>::chars.data(), detail::SnakeName<T>::chars.size());
  }
}

/// The msgpack form of a value (arrays for PROCESSHUB_FIELDS types).
template <class T>
Bytes encode(const T& value);

/// Like encode, but a PROCESSHUB_FIELDS type becomes a map from field name to value: readable without the
/// schema.
template <class T>
Bytes encode_named(const T& value);

/// The value of a msgpack text; array or map (an unknown key is an error). Bounded in depth and size by the
/// text itself.
template <class T>
Result<T> decode(std::string_view bytes);

/// Arguments of a child: made from any encodable value, or taken as they are with Payload::raw.
class Payload {
 public:
  Payload() = default;
  template <class T>
  // NOLINTNEXTLINE(google-explicit-constructor): .args = MyArgs{…}
  requires(!std::is_same_v<std::decay_t<T>, Payload>) Payload(const T& value) : bytes_(encode(value)) {}
  static Payload raw(Bytes bytes) {
    Payload p;
    p.bytes_ = std::move(bytes);
    return p;
  }
  const Bytes& bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  friend bool operator==(const Payload&, const Payload&) = default;

 private:
  Bytes bytes_{};
};

}  // namespace processhub
