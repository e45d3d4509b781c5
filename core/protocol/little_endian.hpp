// Numbers of fixed width in the flat parts of the wire format: little-endian on every machine.
#pragma once

#include <bit>
#include <concepts>
#include <cstring>

namespace processhub::protocol {

template <std::unsigned_integral T>
void store_le(char* at, T v) {
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(at, &v, sizeof v);
  } else {
    for (std::size_t i = 0; i < sizeof v; ++i) at[i] = static_cast<char>(v >> (8 * i));
  }
}

template <std::unsigned_integral T>
T load_le(const char* at) {
  T v = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&v, at, sizeof v);
  } else {
    for (std::size_t i = sizeof v; i-- > 0;) v = static_cast<T>(v << 8 | static_cast<unsigned char>(at[i]));
  }
  return v;
}

}  // namespace processhub::protocol
