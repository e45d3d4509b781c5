#include "processhub/ids.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "core/hash.hpp"

namespace processhub {

namespace {

std::uint64_t hash_of_life(std::string_view name, std::uint64_t incarnation) {
  std::string bytes(name);
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<char>(incarnation >> shift));
  return hash64(bytes);
}

}  // namespace

NodeId NodeId::of(std::string_view name, std::uint64_t incarnation) {
  struct Lives {
    std::mutex mutex{};
    std::map<std::string, std::map<std::uint64_t, std::unique_ptr<const Info>>, std::less<>> by_name{};
  };
  // Never destroyed: handles are read by other static objects and by threads that outlive main.
  static Lives& lives = *std::make_unique<Lives>().release();

  std::lock_guard lock(lives.mutex);
  auto known = lives.by_name.find(name);
  if (known == lives.by_name.end()) known = lives.by_name.try_emplace(std::string(name)).first;
  auto& info = known->second[incarnation];
  if (!info) {
    info = std::make_unique<const Info>(
        Info{std::string(name), incarnation, hash_of_life(name, incarnation), hash64(name)});
  }
  return NodeId(info.get());
}

std::string NodeId::str() const { return std::string(name()) + "/" + std::to_string(incarnation()); }

std::string Generation::str() const {
  return std::to_string(epoch) + "." + std::to_string(restarts) + "@" + node.str();
}

std::string WorkerRef::str() const { return node.str() + "/" + std::to_string(serial); }

}  // namespace processhub
