// The first look at a configuration file: sections, keys, values and their lines, and everything refused that
// the INI parser would take silently (a # that cuts a value off, a byte order mark, a section that is not
// closed).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "processhub/result.hpp"

namespace processhub::config {

struct IniEntry {
  std::string key{};
  std::string value{};
  std::size_t line = 0;
};

struct IniSection {
  std::string name{};  ///< empty: before the first section
  std::size_t line = 0;
  std::vector<IniEntry> entries{};
};

struct IniFile {
  std::string path{};
  std::vector<IniSection> sections{};  ///< in file order; the first one is the nameless one

  /// "path:line: key", the start of an error about that entry.
  std::string where(const IniEntry& entry) const;
  /// "path:line: [name]".
  std::string where(const IniSection& section) const;
};

Result<IniFile> read_ini(const std::string& path);
Result<IniFile> scan_ini(const std::string& path, std::string_view text);

}  // namespace processhub::config
