// LoadMeter: how busy this machine is, as Linux tells in /proc. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "processhub/strategy/load.hpp"

namespace processhub::runtime {

class LoadMeter {
 public:
  explicit LoadMeter(std::string proc = "/proc");
  /// What cannot be read counts as 0. The first call compares with the machine's start, later ones with the
  /// call before.
  LoadSample measure();

 private:
  double cpu(std::string_view stat);
  std::string proc_;
  std::uint64_t busy_ = 0;
  std::uint64_t all_ = 0;
};

}  // namespace processhub::runtime
