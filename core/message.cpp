#include "processhub/message.hpp"

#include <bit>
#include <cstddef>
#include <iterator>
#include <memory>
#include <new>
#include <stdexcept>
#include <typeinfo>
#include <utility>

namespace processhub::detail {

namespace {

constexpr std::size_t kMaxBytes = 64ULL << 20;
constexpr std::size_t kMaxDepth = 63;  // lists inside each other

/// Makes the objects of a msgpack text in one pass; strings and binaries point into the text. A few bytes can
/// claim billions of elements: every element still owed must have at least one byte left to come from, so
/// what is allocated stays in proportion to the text.
class Builder {
 public:
  Builder(std::string_view bytes, msgpack::zone& zone) : bytes_(bytes), zone_(zone) {}

  void build(msgpack::object& root) {
    item(root);
    while (depth_ > 0) {
      auto& list = open_[depth_ - 1];
      if (list.at == list.count) {
        --depth_;
        continue;
      }
      --owed_;
      item(list.next());
    }
    if (at_ != bytes_.size()) throw std::invalid_argument("bytes after the end of the value");
  }

 private:
  /// An array or map that is being filled; a map's keys and values take turns.
  struct List {
    msgpack::object* items;
    msgpack::object_kv* pairs;
    std::uint64_t count;
    std::uint64_t at;
    msgpack::object& next() {
      const auto i = at++;
      if (items != nullptr) return items[i];
      return i % 2 == 0 ? pairs[i / 2].key : pairs[i / 2].val;
    }
  };

  void item(msgpack::object& to) {
    const auto tag = static_cast<unsigned char>(take(1).front());
    if (tag <= 0x7f) return positive(to, tag);
    if (tag >= 0xe0) return integer(to, static_cast<std::int8_t>(tag));
    if (tag <= 0x8f) return map(to, tag & 0x0fU);
    if (tag <= 0x9f) return array(to, tag & 0x0fU);
    if (tag <= 0xbf) return text(to, tag & 0x1fU);
    sized_item(to, tag);
  }
  void sized_item(msgpack::object& to, unsigned char tag) {
    switch (tag) {
      case 0xc0:
        to.type = msgpack::type::NIL;
        return;
      case 0xc2:
      case 0xc3:
        to.type = msgpack::type::BOOLEAN;
        to.via.boolean = tag == 0xc3;
        return;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return binary(to, number(1U << (tag - 0xc4U)));
      case 0xca:
        return real(to, msgpack::type::FLOAT32, std::bit_cast<float>(static_cast<std::uint32_t>(number(4))));
      case 0xcb:
        return real(to, msgpack::type::FLOAT64, std::bit_cast<double>(number(8)));
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return positive(to, number(1U << (tag - 0xccU)));
      case 0xd0:
        return integer(to, static_cast<std::int8_t>(number(1)));
      case 0xd1:
        return integer(to, static_cast<std::int16_t>(number(2)));
      case 0xd2:
        return integer(to, static_cast<std::int32_t>(number(4)));
      case 0xd3:
        return integer(to, static_cast<std::int64_t>(number(8)));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return text(to, number(1U << (tag - 0xd9U)));
      default:
        rare_item(to, tag);
    }
  }
  void rare_item(msgpack::object& to, unsigned char tag) {
    switch (tag) {
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return extension(to, number(1U << (tag - 0xc7U)));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return extension(to, 1ULL << (tag - 0xd4U));
      case 0xdc:
      case 0xdd:
        return array(to, number(2U << (tag - 0xdcU)));
      case 0xde:
      case 0xdf:
        return map(to, number(2U << (tag - 0xdeU)));
      default:
        throw std::invalid_argument("no msgpack");
    }
  }

  static void positive(msgpack::object& to, std::uint64_t value) {
    to.type = msgpack::type::POSITIVE_INTEGER;
    to.via.u64 = value;
  }
  static void integer(msgpack::object& to, std::int64_t value) {
    if (value >= 0) return positive(to, static_cast<std::uint64_t>(value));
    to.type = msgpack::type::NEGATIVE_INTEGER;
    to.via.i64 = value;
  }
  static void real(msgpack::object& to, msgpack::type::object_type type, double value) {
    to.type = type;
    to.via.f64 = value;
  }
  void text(msgpack::object& to, std::uint64_t size) {
    to.type = msgpack::type::STR;
    to.via.str.ptr = take(size).data();
    to.via.str.size = static_cast<std::uint32_t>(size);
  }
  void binary(msgpack::object& to, std::uint64_t size) {
    to.type = msgpack::type::BIN;
    to.via.bin.ptr = take(size).data();
    to.via.bin.size = static_cast<std::uint32_t>(size);
  }
  /// Its type byte is a part of what `ptr` points to, and not of the size.
  void extension(msgpack::object& to, std::uint64_t size) {
    to.type = msgpack::type::EXT;
    to.via.ext.ptr = take(size + 1).data();
    to.via.ext.size = static_cast<std::uint32_t>(size);
  }
  void array(msgpack::object& to, std::uint64_t count) {
    enter(count);
    to.type = msgpack::type::ARRAY;
    to.via.array.size = static_cast<std::uint32_t>(count);
    to.via.array.ptr = open_[depth_ - 1].items = make<msgpack::object>(count);
  }
  void map(msgpack::object& to, std::uint64_t count) {
    enter(2 * count);
    to.type = msgpack::type::MAP;
    to.via.map.size = static_cast<std::uint32_t>(count);
    to.via.map.ptr = open_[depth_ - 1].pairs = make<msgpack::object_kv>(count);
  }
  template <class T>
  T* make(std::uint64_t count) {
    if (count == 0) return nullptr;
    auto* memory = static_cast<T*>(zone_.allocate_align(count * sizeof(T), alignof(T)));
    for (std::uint64_t i = 0; i < count; ++i) new (memory + i) T();
    return memory;
  }

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_) throw std::invalid_argument("cut short");
    auto part = bytes_.substr(at_, count);
    at_ += count;
    return part;
  }
  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    for (char c : take(width)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  void enter(std::uint64_t elements) {
    owed_ += elements;
    if (owed_ > bytes_.size() - at_) throw std::invalid_argument("claims more elements than it has bytes");
    if (depth_ == kMaxDepth) throw std::invalid_argument("nested too deep");
    open_[depth_++] = {nullptr, nullptr, elements, 0};
  }

  std::string_view bytes_;
  msgpack::zone& zone_;
  std::size_t at_ = 0;
  std::array<List, kMaxDepth> open_;  // filled as far as depth_
  std::uint64_t owed_ = 0;
  std::size_t depth_ = 0;
};

/// The memory of the objects of one text, used again for the next: most messages have a handful of them.
constexpr std::size_t kZoneSize = 2048;
struct SharedZone {
  msgpack::zone zone{kZoneSize};
  bool taken = false;
};
thread_local SharedZone of_this_thread;

}  // namespace

void throw_misfit(std::string_view field, const msgpack::object& found, const std::exception& why) {
  if (dynamic_cast<const std::bad_cast*>(&why) == nullptr)  // a field of this field, or too long a list
    throw std::invalid_argument(std::string(field) + ": " + why.what());
  static constexpr std::string_view kinds[] = {"null",
                                               "true or false",
                                               "a number of 0 or more",
                                               "a negative number",
                                               "a fraction",
                                               "a text",
                                               "a list",
                                               "a map",
                                               "bytes",
                                               "an extension"};
  const auto kind = found.type == msgpack::type::FLOAT32 ? msgpack::type::FLOAT64 : found.type;
  const auto index = static_cast<std::size_t>(kind);
  throw std::invalid_argument(std::string(field) + ": " +
                              std::string(index < std::size(kinds) ? kinds[index] : "this") +
                              " does not fit there");
}

Unpacked::Unpacked(std::string_view bytes) {
  if (bytes.size() > kMaxBytes) throw std::invalid_argument("larger than 64 MiB");
  auto* zone = &of_this_thread.zone;
  if (std::exchange(of_this_thread.taken, true)) {  // a conversion that decodes something inside
    own_ = std::make_unique<msgpack::zone>(kZoneSize);
    zone = own_.get();
  }
  try {
    Builder(bytes, *zone).build(root_);
  } catch (...) {
    release();
    throw;
  }
}

Unpacked::~Unpacked() { release(); }

void Unpacked::release() {
  if (own_) return;
  of_this_thread.zone.clear();
  of_this_thread.taken = false;
}

}  // namespace processhub::detail
