// What the worker of the test plugin `sink` understands.
#pragma once

#include <processhub/processhub.hpp>

#include <cstdint>
#include <string>

namespace sink_messages {

/// Counted.
struct Blob {
  std::string text{};
  PROCESSHUB_FIELDS(text)
};
/// Answered with the same.
struct Echo {
  std::string text{};
  PROCESSHUB_FIELDS(text)
};
struct GetTaken {
  PROCESSHUB_FIELDS()
};
struct Taken {
  std::uint64_t count = 0;
  PROCESSHUB_FIELDS(count)
};
/// Reads nothing more until somebody opens this FIFO for writing.
struct Hold {
  std::string fifo{};
  PROCESSHUB_FIELDS(fifo)
};
/// Casts `count` blobs of `bytes` to another child as fast as it can.
struct Flood {
  std::string to{};
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  PROCESSHUB_FIELDS(to, count, bytes)
};
/// Casts blobs of `bytes` to another child until the next of these comes, `each_ms` a millisecond as far as
/// the machine lets it; 0: ends. Answered with how many the one before has cast.
struct Pour {
  std::string to{};
  std::uint64_t each_ms = 0;
  std::uint64_t bytes = 0;
  PROCESSHUB_FIELDS(to, each_ms, bytes)
};
/// Calls another child so often, one call after the other, or `each_ms` a millisecond as long as less than a
/// thousand are open.
struct Drive {
  std::string to{};
  std::uint64_t count = 0;
  std::uint64_t each_ms = 0;
  PROCESSHUB_FIELDS(to, count, each_ms)
};
struct Drove {
  std::uint64_t failed = 0;
  PROCESSHUB_FIELDS(failed)
};
/// Has another child echo `bytes`.
struct Fetch {
  std::string to{};
  std::uint64_t bytes = 0;
  PROCESSHUB_FIELDS(to, bytes)
};
struct Fetched {
  bool exact = false;
  std::string error{};
  PROCESSHUB_FIELDS(exact, error)
};

/// Any part of it differs from any other.
inline std::string pattern(std::uint64_t bytes) {
  std::string text(bytes, '\0');
  std::uint64_t x = 1;
  for (auto& c : text) {
    x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    c = static_cast<char>(x >> 56);
  }
  return text;
}

}  // namespace sink_messages
