// The msgpack form of wire messages: each struct with PROCESSHUB_FIELDS is an array of its fields. A reader
// that meets more fields than it knows skips them, one that meets fewer keeps defaults: versions N and N+1
// understand each other. A NodeId is written once per message and referred to by number afterwards. Decoding
// is a bounded pull parser that never allocates more than the input could hold; the first mistake sets `bad`
// and everything after it is empty.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "processhub/ids.hpp"
#include "processhub/payload.hpp"

namespace processhub::protocol {

class Writer {
 public:
  explicit Writer(Bytes& out) : out_(out) {}
  void uint(std::uint64_t v);
  void boolean(bool v) { out_.push_back(v ? '\xc3' : '\xc2'); }
  void real(double v);
  void text(std::string_view v);
  void array(std::size_t n);
  void nil() { out_.push_back('\xc0'); }
  void node(NodeId v);
  /// As it is: part of a flat header, or what needs no length because nothing follows.
  void raw(std::string_view bytes) { out_.append(bytes); }

 private:
  void big_endian(char tag, std::uint64_t v, int bytes);
  Bytes& out_;
  std::vector<NodeId> nodes_{};
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  std::uint64_t uint();
  bool boolean();
  double real();
  std::string_view text();
  /// Length of an array; never more than the bytes that are left.
  std::size_t array();
  bool take_nil();
  NodeId node();
  /// So many bytes as they are; too many make the input bad.
  std::string_view raw(std::size_t n);
  /// All that is left.
  std::string_view rest() { return raw(in_.size()); }
  void skip(int depth = 0);
  bool bad() const { return bad_; }
  void fail() {
    bad_ = true;
    in_ = {};
  }
  bool at_end() const { return in_.empty(); }
  std::size_t left() const { return in_.size(); }

 private:
  static constexpr int kMaxDepth = 32;
  std::uint8_t byte();
  std::uint64_t big_endian(int bytes);
  std::string_view in_;
  std::vector<NodeId> nodes_{};
  bool bad_ = false;
};

// -- put: one overload per kind of field
// ------------------------------------------------------------------------

template <class T>
void put(Writer& w, const T& v);
template <class T>
void get(Reader& r, T& v);

namespace detail {
template <class T>
struct Codec;

template <class T>
requires std::is_unsigned_v<T>
struct Codec<T> {
  static void put(Writer& w, T v) { w.uint(v); }
  static void get(Reader& r, T& v) {
    auto wide = r.uint();
    v = static_cast<T>(wide);
    if (v != wide) r.fail();
  }
};
template <>
struct Codec<bool> {
  static void put(Writer& w, bool v) { w.boolean(v); }
  static void get(Reader& r, bool& v) { v = r.boolean(); }
};
template <>
struct Codec<double> {
  static void put(Writer& w, double v) { w.real(v); }
  static void get(Reader& r, double& v) { v = r.real(); }
};
template <class T>
requires std::is_enum_v<T>
struct Codec<T> {
  static void put(Writer& w, T v) { w.uint(static_cast<std::uint64_t>(v)); }
  static void get(Reader& r, T& v) {
    std::underlying_type_t<T> u{};
    Codec<std::underlying_type_t<T>>::get(r, u);
    v = static_cast<T>(u);
  }
};
template <>
struct Codec<std::string> {
  static void put(Writer& w, const std::string& v) { w.text(v); }
  static void get(Reader& r, std::string& v) { v.assign(r.text()); }
};
template <>
struct Codec<NodeId> {
  static void put(Writer& w, NodeId v) { w.node(v); }
  static void get(Reader& r, NodeId& v) { v = r.node(); }
};
template <class Rep, class Period>
struct Codec<std::chrono::duration<Rep, Period>> {
  using D = std::chrono::duration<Rep, Period>;
  static void put(Writer& w, D v) { w.uint(static_cast<std::uint64_t>(v.count() < 0 ? 0 : v.count())); }
  static void get(Reader& r, D& v) {
    auto n = r.uint();
    if (n > static_cast<std::uint64_t>(D::max().count())) return r.fail();
    v = D(static_cast<Rep>(n));
  }
};
template <class T>
struct Codec<std::optional<T>> {
  static void put(Writer& w, const std::optional<T>& v) {
    if (!v) return w.nil();
    protocol::put(w, *v);
  }
  static void get(Reader& r, std::optional<T>& v) {
    v.reset();
    if (!r.take_nil()) protocol::get(r, v.emplace());
  }
};
/// What one element costs in memory. A list may not cost much more than the bytes it came in: no sender can
/// make a short frame grow large here.
template <class T>
inline constexpr std::size_t kMemoryOf = sizeof(T);
template <class T>
inline constexpr std::size_t kMemoryOf<std::shared_ptr<const T>> = sizeof(T);
inline constexpr std::size_t kGrowth = 32;
inline constexpr std::size_t kGrowthFree = 16 * 1024;

template <class List>
struct ListCodec {
  static void put(Writer& w, const List& v) {
    w.array(v.size());
    for (const auto& e : v) protocol::put(w, e);
  }
  static void get(Reader& r, List& v) {
    v.clear();
    auto n = r.array();
    if (n > r.left() || n * kMemoryOf < typename List::value_type >> r.left() * kGrowth + kGrowthFree)
      return r.fail();
    for (std::size_t i = 0; i < n && !r.bad(); ++i) protocol::get(r, v.emplace_back());
  }
};
template <class T>
struct Codec<std::vector<T>> : ListCodec<std::vector<T>> {};
template <class A, class B>
struct Codec<std::map<A, B>> {
  static void put(Writer& w, const std::map<A, B>& v) {
    w.array(v.size() * 2);
    for (const auto& [a, b] : v) {
      protocol::put(w, a);
      protocol::put(w, b);
    }
  }
  static void get(Reader& r, std::map<A, B>& v) {
    v.clear();
    auto n = r.array();
    if (n % 2 != 0) return r.fail();
    for (std::size_t i = 0; i < n && !r.bad(); i += 2) {
      A a{};
      protocol::get(r, a);
      protocol::get(r, v[a]);
    }
  }
};
template <>
struct Codec<Uid> {
  static void put(Writer& w, const Uid& v) {
    w.array(2);
    w.node(v.origin);
    w.uint(v.counter);
  }
  static void get(Reader& r, Uid& v) {
    if (r.array() != 2) return r.fail();
    v.origin = r.node();
    v.counter = r.uint();
  }
};
template <>
struct Codec<Generation> {
  static void put(Writer& w, const Generation& v) {
    w.array(3);
    w.uint(v.epoch);
    w.uint(v.restarts);
    w.node(v.node);
  }
  static void get(Reader& r, Generation& v) {
    if (r.array() != 3) return r.fail();
    v.epoch = r.uint();
    Codec<std::uint32_t>::get(r, v.restarts);
    v.node = r.node();
  }
};
template <>
struct Codec<Payload> {
  static void put(Writer& w, const Payload& v) { w.text(v.bytes()); }
  static void get(Reader& r, Payload& v) { v = Payload::raw(Bytes(r.text())); }
};
template <class... F>
void put_fields(Writer& w, const F&... f) {
  w.array(sizeof...(f));
  (protocol::put(w, f), ...);
}
/// Reads an array into as many fields as there are, skips the rest.
template <class... F>
void get_fields(Reader& r, F&... f) {
  auto n = r.array();
  ((n > 0 ? (protocol::get(r, f), --n) : n), ...);
  while (n > 0 && !r.bad()) {
    r.skip();
    --n;
  }
}
template <class T>
requires processhub::detail::HasFields<T>
struct Codec<T> {
  static void put(Writer& w, const T& v) {
    v.ph_fields()([&](const auto&... f) { put_fields(w, f...); });
  }
  static void get(Reader& r, T& v) {
    v.ph_fields()([&](auto&... f) { get_fields(r, f...); });
  }
};
}  // namespace detail

template <class T>
void put(Writer& w, const T& v) {
  detail::Codec<T>::put(w, v);
}
template <class T>
void get(Reader& r, T& v) {
  detail::Codec<T>::get(r, v);
}

}  // namespace processhub::protocol
