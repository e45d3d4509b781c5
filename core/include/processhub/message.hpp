// Typed messages: PROCESSHUB_FIELDS gives a struct its msgpack form (an array of its fields), its field names
// (so that a map with those names decodes too, and JSON tools need no schema) and leaves it an aggregate.
// This is the only public header that sees msgpack. Any thread; nothing here keeps state.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <msgpack.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

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
}  // namespace detail

template <class T>
Result<T> decode(std::string_view bytes) {
  try {
    const detail::Unpacked unpacked(bytes);
    T value{};
    unpacked.get().convert(value);
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
          if (i < from.via.array.size) from.via.array.ptr[i].convert(f);
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
            from.convert(f);
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

template <class T>
Bytes encode_named(const T& value) {
  if constexpr (detail::HasFields<T>) {
    struct Sink {
      Bytes out{};
      void write(const char* data, std::size_t size) { out.append(data, size); }
    } sink;
    msgpack::packer<Sink> out(sink);
    value.ph_fields()([&](const auto&... field) {
      out.pack_map(static_cast<std::uint32_t>(sizeof...(field)));
      [[maybe_unused]] std::size_t i = 0;
      [[maybe_unused]] auto put = [&](const auto& f) {
        auto name = detail::field_name(T::ph_field_names(), i++);
        out.pack_str(static_cast<std::uint32_t>(name.size()));
        out.pack_str_body(name.data(), static_cast<std::uint32_t>(name.size()));
        sink.out += encode_named(f);
      };
      (put(field), ...);
    });
    return std::move(sink.out);
  } else {
    return encode(value);
  }
}

}  // namespace processhub
