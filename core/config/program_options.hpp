// The door to Boost.Program_options: sections and command lines become settings, strictly. Nothing is guessed
// from a prefix, nothing unknown passes, nothing single comes twice.
#pragma once

#include <string>
#include <vector>

#include "core/config/ini_file.hpp"
#include "processhub/result.hpp"

namespace processhub::config {

/// One value that somebody wrote somewhere.
struct Setting {
  std::string key{};
  std::string value{};
  std::string where{};  ///< start of an error about it: "node.ini:3: listen", "--listen"
};

/// Keys that may be written. One that ends in * stands for all that begin so.
struct AllowedKeys {
  std::vector<std::string> single{};
  std::vector<std::string> repeatable{};
};

Result<std::vector<Setting>> parse_section(const IniFile& file, const IniSection& section,
                                           const AllowedKeys& allowed);

/// Flags --key=value and --key value; argv[0] is skipped.
Result<std::vector<Setting>> parse_flags(int argc, const char* const* argv, const AllowedKeys& allowed);

}  // namespace processhub::config
