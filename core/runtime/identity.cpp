#include "core/runtime/identity.hpp"

#include <unistd.h>

#include <chrono>
#include <random>
#include <string>

namespace processhub::runtime {

std::uint64_t random_number() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

NodeId fresh_client(std::string_view program) {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto incarnation = std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count();
  const auto name = std::string(program) + "-" + std::to_string(::getpid()) + "-" +
                    std::to_string(random_number() % 1'000'000);
  return NodeId::of(name, static_cast<std::uint64_t>(incarnation));
}

}  // namespace processhub::runtime
