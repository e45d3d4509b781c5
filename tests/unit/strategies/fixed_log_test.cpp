// The integer logarithm against the one of the standard library.
#include "strategies/distribution/fixed_log.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>

namespace fixed_log_test {

namespace {

using processhub::fixed_log::negative_log2;

double exact(std::uint64_t hash) { return 64.0 - std::log2(static_cast<double>(hash)); }
double fixed(std::uint64_t hash) { return std::ldexp(static_cast<double>(negative_log2(hash)), -56); }

std::uint64_t next(std::uint64_t& state) {
  state = state * 6364136223846793005ULL + 1442695040888963407ULL;
  return state ^ (state >> 29);
}

}  // namespace

TEST_CASE("the integer logarithm agrees with the exact one to ten digits over the whole range") {
  std::uint64_t state = 42;
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t hash = next(state) >> (i % 60);
    if (hash == 0) continue;
    CHECK_MESSAGE(std::abs(fixed(hash) - exact(hash)) < 1e-10, hash);
  }
}

TEST_CASE("the integer logarithm never rises as the hash grows, also across table steps") {
  std::uint64_t state = 7;
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t hash = next(state) >> (i % 50);
    const std::uint64_t step = 1ULL << (i % 30);
    if (hash > UINT64_MAX - step) continue;
    CHECK_MESSAGE(negative_log2(hash) >= negative_log2(hash + step), hash);
  }
  for (std::uint64_t i = 1; i < 128; ++i) {
    const std::uint64_t edge = (1ULL << 63) + (i << 56);
    CHECK_MESSAGE(negative_log2(edge - 1) >= negative_log2(edge), i);
  }
}

TEST_CASE("the ends of the hash range give 64 bits and almost nothing, never zero") {
  CHECK(negative_log2(0) == std::uint64_t{64} << 56);
  CHECK(negative_log2(1) == std::uint64_t{64} << 56);
  CHECK(negative_log2(std::uint64_t{1} << 63) == std::uint64_t{1} << 56);
  CHECK(negative_log2(UINT64_MAX) > 0);
  CHECK(fixed(UINT64_MAX) < 1e-11);
}

}  // namespace fixed_log_test
