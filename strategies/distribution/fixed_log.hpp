// The logarithm that weighted rendezvous hashing needs, in integers: libm may differ between machines in the
// last bit, and then two nodes could disagree about an owner.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace processhub::fixed_log {

inline constexpr int kFraction = 56;  ///< fixed point: 56 bits behind the point, results are 0..64

namespace detail {
using u64 = std::uint64_t;
using u128 = unsigned __int128;
inline constexpr int kSteps = 128;  ///< table entries per octave

/// floor(2^56 * log2(m / 2^63)) for m in [2^63, 2^64): one bit per squaring. Exact but slow; fills the table.
constexpr u64 log2_by_squaring(u64 m) {
  u64 result = 0;
  for (int bit = kFraction - 1; bit >= 0; --bit) {
    u128 square = static_cast<u128>(m) * m;  // in [2^126, 2^128)
    const bool carry = (square >> 127) != 0;
    if (carry) result |= u64{1} << bit;
    m = static_cast<u64>(square >> (carry ? 64 : 63));
  }
  return result;
}

constexpr std::array<u64, kSteps + 1> make_table() {
  std::array<u64, kSteps + 1> table{};
  for (int i = 0; i < kSteps; ++i) {
    table[static_cast<std::size_t>(i)] = log2_by_squaring((u64{1} << 63) + (static_cast<u64>(i) << 56));
  }
  table[kSteps] = u64{1} << kFraction;
  return table;
}
inline constexpr auto kTable = make_table();

/// 2^62 / ln 2.
inline constexpr u64 kInverseLn2 = 6653256548922161245ULL;

constexpr u64 mul62(u64 a, u64 b) { return static_cast<u64>((static_cast<u128>(a) * b) >> 62); }

/// 2^56 * log2(m / 2^63) for m in [2^63, 2^64): table, then the series of log1p on a rest below 1/128.
constexpr u64 log2_mantissa(u64 m) {
  const auto step = static_cast<std::size_t>((m >> 56) & (kSteps - 1));
  const u64 rest = m & ((u64{1} << 56) - 1);
  // r = rest / (128 + step) in units of 2^-56, then at scale 2^62.
  const u64 r = (rest << 6) / (kSteps + step);
  const u64 r2 = mul62(r, r);
  const u64 r3 = mul62(r2, r);
  const u64 r4 = mul62(r3, r);
  const u64 log1p = r - r2 / 2 + r3 / 3 - r4 / 4;
  return kTable[step] + (mul62(log1p, kInverseLn2) >> (62 - kFraction));
}
}  // namespace detail

/// 2^56 * -log2(u) for u = hash / 2^64, at least 1. Never grows with `hash`: only the 40 leading bits of the
/// hash count, so that one step of the input is far larger than the rounding inside.
constexpr std::uint64_t negative_log2(std::uint64_t hash) {
  if (hash == 0) hash = 1;
  const int zeros = std::countl_zero(hash);
  const std::uint64_t mantissa = (hash << zeros) & ~((std::uint64_t{1} << 24) - 1);
  const auto whole = static_cast<std::uint64_t>(zeros + 1) << kFraction;
  return whole - detail::log2_mantissa(mantissa);
}

}  // namespace processhub::fixed_log
