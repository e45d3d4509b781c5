#include "processhub/message.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <memory>

namespace processhub::detail {

namespace {

constexpr std::size_t kMaxBytes = 64ULL << 20;
constexpr std::size_t kMaxDepth = 64;

/// Walks a msgpack text without building anything. A few bytes can claim billions of elements, and msgpack
/// allocates what is claimed: so every element still owed must have at least one byte left to come from.
class Scanner {
 public:
  explicit Scanner(std::string_view bytes) : bytes_(bytes) {}

  void run() {
    owed_[0] = 1;
    while (depth_ > 0) {
      if (owed_[depth_ - 1] == 0) {
        --depth_;
        continue;
      }
      --owed_[depth_ - 1];
      --owed_total_;
      item();
    }
    if (at_ != bytes_.size()) throw std::invalid_argument("bytes after the end of the value");
  }

 private:
  void item() {
    const auto tag = static_cast<unsigned char>(take(1).front());
    if (tag <= 0x7f || tag >= 0xe0) return;  // a small integer
    if (tag <= 0x8f) return enter(2ULL * (tag & 0x0fU));
    if (tag <= 0x9f) return enter(tag & 0x0fU);
    if (tag <= 0xbf) return skip(tag & 0x1fU);
    sized_item(tag);
  }
  void sized_item(unsigned char tag) {
    switch (tag) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return;
      case 0xc4:
      case 0xd9:
        return skip(number(1));
      case 0xc5:
      case 0xda:
        return skip(number(2));
      case 0xc6:
      case 0xdb:
        return skip(number(4));
      case 0xc7:
        return skip(number(1) + 1);
      case 0xc8:
        return skip(number(2) + 1);
      case 0xc9:
        return skip(number(4) + 1);
      case 0xca:
      case 0xce:
      case 0xd2:
        return skip(4);
      case 0xcb:
      case 0xcf:
      case 0xd3:
        return skip(8);
      case 0xcc:
      case 0xd0:
        return skip(1);
      case 0xcd:
      case 0xd1:
        return skip(2);
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return skip((1ULL << (tag - 0xd4U)) + 1);
      case 0xdc:
        return enter(number(2));
      case 0xdd:
        return enter(number(4));
      case 0xde:
        return enter(2 * number(2));
      case 0xdf:
        return enter(2 * number(4));
      default:
        throw std::invalid_argument("no msgpack");
    }
  }
  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_) throw std::invalid_argument("cut short");
    auto part = bytes_.substr(at_, count);
    at_ += count;
    return part;
  }
  void skip(std::uint64_t count) { take(count); }
  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    for (char c : take(width)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  void enter(std::uint64_t count) {
    owed_total_ += count;
    if (owed_total_ > bytes_.size() - at_)
      throw std::invalid_argument("claims more elements than it has bytes");
    if (depth_ == kMaxDepth) throw std::invalid_argument("nested too deep");
    owed_[depth_++] = count;
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  std::array<std::uint64_t, kMaxDepth> owed_{};
  std::uint64_t owed_total_ = 1;
  std::size_t depth_ = 1;
};

/// Strings and binaries point into the input, which outlives the conversion.
bool by_reference(msgpack::type::object_type, std::size_t, void*) { return true; }

}  // namespace

msgpack::object_handle unpack_bounded(std::string_view bytes) {
  if (bytes.size() > kMaxBytes) throw std::invalid_argument("larger than 64 MiB");
  Scanner(bytes).run();
  const msgpack::unpack_limit limit(bytes.size(), bytes.size(), bytes.size(), bytes.size(), bytes.size(),
                                    kMaxDepth + 1);
  // The default zone takes 8 KiB for every message, however small.
  auto zone =
      std::make_unique<msgpack::zone>(std::clamp<std::size_t>(std::bit_ceil(bytes.size() * 4), 256, 8192));
  std::size_t offset = 0;
  auto object = msgpack::unpack(*zone, bytes.data(), bytes.size(), offset, by_reference, nullptr, limit);
  return {object, std::move(zone)};
}

}  // namespace processhub::detail
