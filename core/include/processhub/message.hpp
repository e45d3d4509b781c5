// Typed messages: PROCESSHUB_FIELDS gives a struct its msgpack form (an array of its fields), its field names
// (so that a map with those names decodes too, and JSON tools need no schema) and leaves it an aggregate.
// This is the only public header that sees msgpack. Any thread; nothing here keeps state.
#pragma once

#include <array>
#include <cctype>
#include <cstdint>
#include <exception>
#include <msgpack.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "processhub/export.hpp"
#include "processhub/result.hpp"

/// Inside a struct, after its fields: PROCESSHUB_FIELDS(a, b, c). An empty list is allowed.
#define PROCESSHUB_FIELDS(...)                                                \
  static constexpr std::string_view ph_field_names() { return #__VA_ARGS__; } \
  auto ph_fields() { return std::tie(__VA_ARGS__); }                          \
  auto ph_fields() const { return std::tie(__VA_ARGS__); }

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
Bytes encode(const T& value) {
  struct Sink {
    Bytes out{};
    void write(const char* data, std::size_t size) { out.append(data, size); }
  } sink;
  msgpack::pack(sink, value);
  return std::move(sink.out);
}

/// Like encode, but a PROCESSHUB_FIELDS type becomes a map from field name to value: readable without the
/// schema.
template <class T>
Bytes encode_named(const T& value);

namespace detail {
PROCESSHUB_API msgpack::object_handle unpack_bounded(std::string_view bytes);
}

/// The value of a msgpack text; array or map (an unknown key is an error). Bounded in depth and size by the
/// text itself.
template <class T>
Result<T> decode(std::string_view bytes) {
  try {
    auto handle = detail::unpack_bounded(bytes);
    T value{};
    handle.get().convert(value);
    return value;
  } catch (const std::exception& e) {
    return {ErrorCode::no_such_message,
            "payload does not fit " + std::string(detail::raw_type_name<T>()) + ": " + e.what()};
  }
}

}  // namespace processhub

namespace msgpack {
MSGPACK_API_VERSION_NAMESPACE(MSGPACK_DEFAULT_API_NS) {
  namespace adaptor {

  template <class T>
  struct pack<T, std::enable_if_t<processhub::detail::HasFields<T>>> {
    template <class Stream>
    msgpack::packer<Stream>& operator()(msgpack::packer<Stream>& out, const T& value) const {
      std::apply(
          [&](const auto&... field) {
            out.pack_array(static_cast<std::uint32_t>(sizeof...(field)));
            (out.pack(field), ...);
          },
          value.ph_fields());
      return out;
    }
  };

  template <class T>
  struct convert<T, std::enable_if_t<processhub::detail::HasFields<T>>> {
    const msgpack::object& operator()(const msgpack::object& from, T& value) const {
      if (from.type == msgpack::type::ARRAY) {
        from_array(from, value);
      } else if (from.type == msgpack::type::MAP) {
        from_map(from, value);
      } else {
        throw std::invalid_argument("expected an array or a map of fields");
      }
      return from;
    }

   private:
    static void from_array(const msgpack::object& from, T& value) {
      std::uint32_t i = 0;
      std::apply(
          [&](auto&... field) {
            if (from.via.array.size > sizeof...(field)) throw std::invalid_argument("too many fields");
            [[maybe_unused]] auto take = [&](auto& f) {
              if (i < from.via.array.size) from.via.array.ptr[i].convert(f);
              ++i;
            };
            (take(field), ...);
          },
          value.ph_fields());
    }
    static void from_map(const msgpack::object& from, T& value) {
      for (std::uint32_t k = 0; k < from.via.map.size; ++k) {
        const auto& pair = from.via.map.ptr[k];
        if (pair.key.type != msgpack::type::STR) throw std::invalid_argument("a field name must be a string");
        std::string_view key(pair.key.via.str.ptr, pair.key.via.str.size);
        if (!set_named(key, pair.val, value))
          throw std::invalid_argument("unknown field '" + std::string(key) + "'");
      }
    }
    static bool set_named(std::string_view key, const msgpack::object& from, T& value) {
      bool found = false;
      std::size_t i = 0;
      std::apply(
          [&](auto&... field) {
            [[maybe_unused]] auto take = [&](auto& f) {
              if (!found && processhub::detail::field_name(T::ph_field_names(), i) == key) {
                from.convert(f);
                found = true;
              }
              ++i;
            };
            (take(field), ...);
          },
          value.ph_fields());
      return found;
    }
  };

  }  // namespace adaptor
}  // MSGPACK_API_VERSION_NAMESPACE
}  // namespace msgpack

namespace processhub {

template <class T>
Bytes encode_named(const T& value) {
  if constexpr (detail::HasFields<T>) {
    struct Sink {
      Bytes out{};
      void write(const char* data, std::size_t size) { out.append(data, size); }
    } sink;
    msgpack::packer<Sink> out(sink);
    std::apply(
        [&](const auto&... field) {
          out.pack_map(static_cast<std::uint32_t>(sizeof...(field)));
          [[maybe_unused]] std::size_t i = 0;
          [[maybe_unused]] auto put = [&](const auto& f) {
            auto name = detail::field_name(T::ph_field_names(), i++);
            out.pack_str(static_cast<std::uint32_t>(name.size()));
            out.pack_str_body(name.data(), static_cast<std::uint32_t>(name.size()));
            sink.out += encode_named(f);
          };
          (put(field), ...);
        },
        value.ph_fields());
    return std::move(sink.out);
  } else {
    return encode(value);
  }
}

/// Arguments of a child: made from any encodable value, or taken as they are with Payload::raw.
class Payload {
 public:
  Payload() = default;
  template <class T>
  requires(!std::is_same_v<std::decay_t<T>, Payload>) Payload(const T& value)
      : bytes_(encode(value)) {}  // NOLINT(google-explicit-constructor)
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
