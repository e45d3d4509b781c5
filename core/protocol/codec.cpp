#include "core/protocol/codec.hpp"

#include <bit>

namespace processhub::protocol {

namespace {
// NodeIds: an array [name, incarnation] the first time, afterwards the number of its first appearance.
constexpr std::size_t kMaxNodeName = 255;
constexpr std::size_t kMaxNodeRefs = 128;  // a reference is one byte
}  // namespace

void Writer::big_endian(char tag, std::uint64_t v, int bytes) {
  out_.push_back(tag);
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out_.push_back(static_cast<char>(v >> shift));
}

void Writer::uint(std::uint64_t v) {
  if (v < 128) {
    out_.push_back(static_cast<char>(v));
  } else if (v <= 0xff) {
    big_endian('\xcc', v, 1);
  } else if (v <= 0xffff) {
    big_endian('\xcd', v, 2);
  } else if (v <= 0xffffffff) {
    big_endian('\xce', v, 4);
  } else {
    big_endian('\xcf', v, 8);
  }
}

void Writer::real(double v) { big_endian('\xcb', std::bit_cast<std::uint64_t>(v), 8); }

void Writer::text(std::string_view v) {
  if (v.size() < 32) {
    out_.push_back(static_cast<char>(0xa0 | v.size()));
  } else if (v.size() <= 0xff) {
    big_endian('\xd9', v.size(), 1);
  } else if (v.size() <= 0xffff) {
    big_endian('\xda', v.size(), 2);
  } else {
    big_endian('\xdb', v.size(), 4);
  }
  out_.append(v);
}

void Writer::array(std::size_t n) {
  if (n < 16) {
    out_.push_back(static_cast<char>(0x90 | n));
  } else if (n <= 0xffff) {
    big_endian('\xdc', n, 2);
  } else {
    big_endian('\xdd', n, 4);
  }
}

void Writer::node(NodeId v) {
  if (!v) return nil();
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    if (nodes_[i] == v) return uint(i);
  }
  if (nodes_.size() < kMaxNodeRefs) nodes_.push_back(v);
  array(2);
  text(v.name());
  uint(v.incarnation());
}

std::uint8_t Reader::byte() {
  if (in_.empty()) {
    bad_ = true;
    return 0xc1;  // never used by msgpack: no case takes it
  }
  auto b = static_cast<std::uint8_t>(in_.front());
  in_.remove_prefix(1);
  return b;
}

std::uint64_t Reader::big_endian(int bytes) {
  std::uint64_t v = 0;
  for (int i = 0; i < bytes; ++i) v = v << 8 | byte();
  return v;
}

std::string_view Reader::raw(std::size_t n) {
  if (n > in_.size()) {
    fail();
    return {};
  }
  auto out = in_.substr(0, n);
  in_.remove_prefix(n);
  return out;
}

std::uint64_t Reader::uint() {
  auto tag = byte();
  if (tag < 128) return tag;
  switch (tag) {
    case 0xcc:
      return big_endian(1);
    case 0xcd:
      return big_endian(2);
    case 0xce:
      return big_endian(4);
    case 0xcf:
      return big_endian(8);
    default:
      fail();
      return 0;
  }
}

bool Reader::boolean() {
  auto tag = byte();
  if (tag != 0xc2 && tag != 0xc3) fail();
  return tag == 0xc3;
}

double Reader::real() {
  if (byte() != 0xcb) fail();
  return std::bit_cast<double>(big_endian(8));
}

std::string_view Reader::text() {
  auto tag = byte();
  if ((tag & 0xe0) == 0xa0) return raw(tag & 0x1f);
  switch (tag) {
    case 0xd9:
    case 0xc4:
      return raw(big_endian(1));
    case 0xda:
    case 0xc5:
      return raw(big_endian(2));
    case 0xdb:
    case 0xc6:
      return raw(big_endian(4));
    default:
      fail();
      return {};
  }
}

std::size_t Reader::array() {
  auto tag = byte();
  std::size_t n = 0;
  if ((tag & 0xf0) == 0x90) {
    n = tag & 0x0f;
  } else if (tag == 0xdc) {
    n = big_endian(2);
  } else if (tag == 0xdd) {
    n = big_endian(4);
  } else {
    fail();
  }
  if (n > in_.size()) {
    fail();
    return 0;
  }
  return n;
}

bool Reader::take_nil() {
  if (in_.empty() || in_.front() != '\xc0') return false;
  in_.remove_prefix(1);
  return true;
}

NodeId Reader::node() {
  if (take_nil()) return {};
  if (!in_.empty() && (static_cast<std::uint8_t>(in_.front()) & 0x80) == 0) {
    auto i = uint();
    if (i < nodes_.size()) return nodes_[i];
    fail();
    return {};
  }
  if (array() != 2) {
    fail();
    return {};
  }
  auto name = text();
  auto incarnation = uint();
  if (bad_ || name.empty() || name.size() > kMaxNodeName) {
    fail();
    return {};
  }
  auto node = NodeId::of(name, incarnation);
  if (nodes_.size() < kMaxNodeRefs) nodes_.push_back(node);
  return node;
}

void Reader::skip(int depth) {
  if (depth > kMaxDepth) return fail();
  auto tag = byte();
  if (bad_) return;
  auto many = [&](std::size_t n) {
    if (n > in_.size()) return fail();
    for (std::size_t i = 0; i < n && !bad_; ++i) skip(depth + 1);
  };
  if (tag < 0x80 || tag >= 0xe0 || tag == 0xc0 || tag == 0xc2 || tag == 0xc3) return;
  if ((tag & 0xf0) == 0x80) return many(2 * std::size_t{tag & 0x0fU});
  if ((tag & 0xf0) == 0x90) return many(tag & 0x0f);
  if ((tag & 0xe0) == 0xa0) return void(raw(tag & 0x1f));
  switch (tag) {
    case 0xc4:
    case 0xd9:
      return void(raw(big_endian(1)));
    case 0xc5:
    case 0xda:
      return void(raw(big_endian(2)));
    case 0xc6:
    case 0xdb:
      return void(raw(big_endian(4)));
    case 0xcc:
    case 0xd0:
      return void(raw(1));
    case 0xcd:
    case 0xd1:
      return void(raw(2));
    case 0xca:
    case 0xce:
    case 0xd2:
      return void(raw(4));
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return void(raw(8));
    case 0xdc:
      return many(big_endian(2));
    case 0xdd:
      return many(big_endian(4));
    case 0xde:
      return many(2 * big_endian(2));
    case 0xdf:
      return many(2 * big_endian(4));
    default:
      return fail();
  }
}

}  // namespace processhub::protocol
