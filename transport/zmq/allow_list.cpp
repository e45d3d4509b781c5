#include "transport/zmq/allow_list.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <system_error>

#include "transport/zmq/curve_keys.hpp"

namespace processhub::zmq_detail {
namespace {

/// Zero if the directory is gone.
timespec modification_time(const std::string& directory) {
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0) return {};
  return info.st_mtim;
}

bool equal(const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

}  // namespace

Result<AllowList> AllowList::open(const std::string& directory, std::set<std::string> fixed) {
  AllowList list(directory, std::move(fixed));
  if (directory.empty()) return list;
  if (auto read = list.read(); !read) return read.error();
  return list;
}

bool AllowList::allows(std::string_view public_key) {
  if (!directory_.empty() && changed()) {
    // Whatever cannot be read allows nobody; the rest of the directory still counts.
    (void)read();
  }
  return fixed_.contains(std::string(public_key)) || listed_.contains(public_key);
}

bool AllowList::changed() const { return !settled_ || !equal(modification_time(directory_), modified_); }

Result<void> AllowList::read() {
  // The time is taken first: a change while we read is then seen as a change.
  modified_ = modification_time(directory_);
  // Two changes within one tick of the file system's clock bear the same time.
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  settled_ = now.tv_sec > modified_.tv_sec + 1;
  listed_.clear();
  Result<void> result;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory_, error);
  if (error)
    return {ErrorCode::system, fmt::format("cannot read directory {}: {}", directory_, error.message())};
  for (; entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (error) break;
    if (entry->path().extension() != ".pub") continue;
    const auto key = read_public_key(entry->path().string());
    if (key) {
      listed_.insert(*key);
    } else if (result) {
      result = key.error();
    }
  }
  if (error)
    return {ErrorCode::system, fmt::format("cannot read directory {}: {}", directory_, error.message())};
  return result;
}

}  // namespace processhub::zmq_detail
