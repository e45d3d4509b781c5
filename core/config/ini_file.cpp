#include "core/config/ini_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "core/config/values.hpp"

namespace processhub::config {
namespace {

constexpr std::size_t kMaxFileSize = 16U << 20;

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.';
}

class Scanner {
 public:
  explicit Scanner(std::string path) { file_.path = std::move(path); }

  Result<IniFile> run(std::string_view text) {
    if (text.substr(0, 3) == "\xEF\xBB\xBF")
      return fail(1, "the file starts with a byte order mark: save it without one");
    file_.sections.emplace_back();
    for (std::size_t line = 1; !text.empty(); ++line) {
      const auto end = std::min(text.find('\n'), text.size());
      if (auto ok = take(text.substr(0, end), line); !ok) return ok.error();
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return std::move(file_);
  }

 private:
  Error fail(std::size_t line, const std::string& what) const {
    return {ErrorCode::invalid, file_.path + ":" + std::to_string(line) + ": " + what};
  }

  Result<void> take(std::string_view raw, std::size_t line) {
    const std::string text = trimmed(raw);
    if (text.empty() || text.front() == '#') return {};
    if (std::any_of(text.begin(), text.end(),
                    [](unsigned char c) { return (c < ' ' && c != '\t') || c == 127; })) {
      return fail(line, "a control character; is this a text file?");
    }
    return text.front() == '[' ? take_section(text, line) : take_entry(text, line);
  }

  Result<void> take_section(const std::string& text, std::size_t line) {
    if (text.back() != ']') return fail(line, "expected [section] on a line of its own, not '" + text + "'");
    const std::string name = trimmed(std::string_view(text).substr(1, text.size() - 2));
    if (name.empty() || name.find_first_of("[]#") != std::string::npos) {
      return fail(line, "expected the name of a section between the brackets, not '" + name + "'");
    }
    for (const auto& other : file_.sections) {
      if (other.name == name) {
        return fail(line, "[" + name + "]: this section is already on line " + std::to_string(other.line));
      }
    }
    file_.sections.push_back({name, line, {}});
    return {};
  }

  Result<void> take_entry(const std::string& text, std::size_t line) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) return fail(line, "expected key = value, not '" + text + "'");
    const std::string key = trimmed(std::string_view(text).substr(0, equals));
    const std::string value = trimmed(std::string_view(text).substr(equals + 1));
    if (key.empty() || !std::all_of(key.begin(), key.end(), is_key_character)) {
      return fail(line, "expected a key before the =, not '" + key + "' (a comment starts with #)");
    }
    if (value.empty()) {
      return fail(line, key + ": expected a value, not nothing; leave the line out for the default");
    }
    if (value.find('#') != std::string::npos) {
      return fail(line,
                  key + ": no # in a value; a comment stands on a line of its own, JSON can say \\u0023");
    }
    file_.sections.back().entries.push_back({key, value, line});
    return {};
  }

  IniFile file_{};
};

}  // namespace

std::string IniFile::where(const IniEntry& entry) const {
  return path + ":" + std::to_string(entry.line) + ": " + entry.key;
}

std::string IniFile::where(const IniSection& section) const {
  return path + ":" + std::to_string(section.line) + ": [" + section.name + "]";
}

Result<IniFile> scan_ini(const std::string& path, std::string_view text) { return Scanner(path).run(text); }

Result<IniFile> read_ini(const std::string& path) {
  const auto unreadable = [&](const std::string& why) {
    return Error{ErrorCode::system, path + ": the configuration cannot be read: " + why};
  };
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return unreadable("it is a folder");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable(std::strerror(errno));
  std::string text(kMaxFileSize + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return unreadable(std::strerror(errno));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxFileSize) return unreadable("it is larger than 16 MiB");
  return scan_ini(path, text);
}

}  // namespace processhub::config
