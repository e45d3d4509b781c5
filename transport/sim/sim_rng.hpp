// The simulator's own random numbers: xoshiro256** seeded by splitmix64. Same seed, same numbers, on every
// machine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "processhub/time.hpp"

namespace processhub::sim {

class Rng {
 public:
  explicit Rng(std::uint64_t seed);

  std::uint64_t next();
  /// 0 … n-1; 0 if n is 0.
  std::uint64_t below(std::uint64_t n);
  /// Both ends included.
  std::int64_t between(std::int64_t low, std::int64_t high);
  Duration between(Duration low, Duration high);
  bool chance(double probability);
  /// A stream of its own, so that one consumer's draws do not shift another's.
  Rng fork() { return Rng(next()); }

  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[static_cast<std::size_t>(below(from.size()))];
  }
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i)
      std::swap(items[i - 1], items[static_cast<std::size_t>(below(i))]);
  }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace processhub::sim
