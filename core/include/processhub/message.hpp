// Typed messages: PROCESSHUB_FIELDS gives a struct its msgpack form (an array of its fields), its field names
// (so that a map with those names decodes too, and JSON tools need no schema) and leaves it an aggregate.
// This is the only public header that sees msgpack. Any thread; nothing here keeps state.
#pragma once

#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <msgpack.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "processhub/export.hpp"
#include "processhub/payload.hpp"
#include "processhub/result.hpp"

namespace processhub {

template <class T>
Bytes encode(const T& value) {
  struct Sink {
    Bytes out{};
    void write(const char* data, std::size_t size) { out.append(data, size); }
  } sink;
  msgpack::pack(sink, value);
  return std::move(sink.out);
}

namespace detail {
/// The objects of a msgpack text; they point into it. Throws what is wrong with the text. Stays on its
/// thread, whose memory it borrows.
class PROCESSHUB_API Unpacked {
 public:
  explicit Unpacked(std::string_view bytes);
  Unpacked(const Unpacked&) = delete;
  Unpacked& operator=(const Unpacked&) = delete;
  ~Unpacked();
  const msgpack::object& get() const { return root_; }

 private:
  void release();
  msgpack::object root_{};
  std::unique_ptr<msgpack::zone> own_{};  ///< while the thread's own is in use
};
/// Throws what a person can use: which field, and what was found there.
[[noreturn]] PROCESSHUB_API void throw_misfit(std::string_view field, const msgpack::object& found,
                                              const std::exception& why);

template <class F>
void convert_field(std::string_view name, const msgpack::object& from, F& field) {
  try {
    from.convert(field);
  } catch (const std::exception& e) {
    throw_misfit(name, from, e);
  }
}
}  // namespace detail

template <class T>
Result<T> decode(std::string_view bytes) {
  try {
    const detail::Unpacked unpacked(bytes);
    if constexpr (std::is_void_v<T>) {
      return {};
    } else {
      T value{};
      unpacked.get().convert(value);
      return value;
    }
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
      value.ph_fields()([&](const auto&... field) {
        out.pack_array(static_cast<std::uint32_t>(sizeof...(field)));
        (out.pack(field), ...);
      });
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
      value.ph_fields()([&](auto&... field) {
        if (from.via.array.size > sizeof...(field)) throw std::invalid_argument("too many fields");
        [[maybe_unused]] auto take = [&](auto& f) {
          if (i < from.via.array.size)
            processhub::detail::convert_field(processhub::detail::field_name(T::ph_field_names(), i),
                                              from.via.array.ptr[i], f);
          ++i;
        };
        (take(field), ...);
      });
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
      value.ph_fields()([&](auto&... field) {
        [[maybe_unused]] auto take = [&](auto& f) {
          if (!found && processhub::detail::field_name(T::ph_field_names(), i) == key) {
            processhub::detail::convert_field(key, from, f);
            found = true;
          }
          ++i;
        };
        (take(field), ...);
      });
      return found;
    }
  };

  }  // namespace adaptor
}  // MSGPACK_API_VERSION_NAMESPACE
}  // namespace msgpack

namespace processhub {

namespace detail {
struct NamedSink {
  Bytes out{};
  void write(const char* data, std::size_t size) { out.append(data, size); }
};
using NamedPacker = msgpack::packer<NamedSink>;

template <class T>
void pack_named(NamedPacker& out, const T& value);
template <class T>
requires(!std::is_arithmetic_v<T>) void pack_named(NamedPacker& out, const std::vector<T>& list);
template <class T>
void pack_named(NamedPacker& out, const std::optional<T>& value);
template <class T>
void pack_named(NamedPacker& out, const std::map<std::string, T>& map);

/// Like packer.pack, but field names are kept wherever a PROCESSHUB_FIELDS type is found.
template <class T>
void pack_named(NamedPacker& out, const T& value) {
  if constexpr (HasFields<T>) {
    value.ph_fields()([&](const auto&... field) {
      out.pack_map(static_cast<std::uint32_t>(sizeof...(field)));
      [[maybe_unused]] std::size_t i = 0;
      [[maybe_unused]] auto put = [&](const auto& f) {
        const auto name = field_name(T::ph_field_names(), i++);
        out.pack_str(static_cast<std::uint32_t>(name.size()));
        out.pack_str_body(name.data(), static_cast<std::uint32_t>(name.size()));
        pack_named(out, f);
      };
      (put(field), ...);
    });
  } else {
    out.pack(value);
  }
}
template <class T>
requires(!std::is_arithmetic_v<T>) void pack_named(NamedPacker& out, const std::vector<T>& list) {
  out.pack_array(static_cast<std::uint32_t>(list.size()));
  for (const auto& element : list) pack_named(out, element);
}
template <class T>
void pack_named(NamedPacker& out, const std::optional<T>& value) {
  if (!value) return static_cast<void>(out.pack_nil());
  pack_named(out, *value);
}
template <class T>
void pack_named(NamedPacker& out, const std::map<std::string, T>& map) {
  out.pack_map(static_cast<std::uint32_t>(map.size()));
  for (const auto& [key, value] : map) {
    out.pack(key);
    pack_named(out, value);
  }
}
}  // namespace detail

template <class T>
Bytes encode_named(const T& value) {
  detail::NamedSink sink;
  detail::NamedPacker out(sink);
  detail::pack_named(out, value);
  return std::move(sink.out);
}

}  // namespace processhub
