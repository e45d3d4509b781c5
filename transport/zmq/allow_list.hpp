// Whose public keys may connect: some fixed ones, and the *.pub files of a directory that is read again when
// it changes.
#pragma once

#include <ctime>
#include <set>
#include <string>
#include <string_view>

#include "processhub/result.hpp"

namespace processhub::zmq_detail {

/// One thread.
class AllowList {
 public:
  /// `directory` may be empty. Every .pub file must be readable now; later, unreadable ones are skipped.
  static Result<AllowList> open(const std::string& directory, std::set<std::string> fixed);

  /// `public_key` in Z85.
  bool allows(std::string_view public_key);

 private:
  AllowList(std::string directory, std::set<std::string> fixed)
      : directory_(std::move(directory)), fixed_(std::move(fixed)) {}
  Result<void> read();
  bool changed() const;

  std::string directory_;
  std::set<std::string> fixed_;
  std::set<std::string, std::less<>> listed_{};
  timespec modified_{};   ///< of the directory, when it was read
  bool settled_ = false;  ///< the directory was not changed just before it was read
};

}  // namespace processhub::zmq_detail
