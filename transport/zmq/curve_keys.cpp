#include "transport/zmq/curve_keys.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "transport/zmq/unique_fd.hpp"

namespace processhub {
namespace {

using zmq_detail::UniqueFd;

constexpr std::size_t kKeyLength = 40;  // Z85
constexpr std::size_t kMaxFileSize =
    4'096;  // a key file is not larger; refuse to read what was named by mistake
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

using KeyText = std::array<char, kKeyLength + 1>;

Error system_error(std::string_view what, const std::string& path) {
  return {ErrorCode::system, fmt::format("{} {}: {}", what, path, std::strerror(errno))};
}

Error bad_file(const std::string& path, std::string_view why) {
  return {ErrorCode::invalid, fmt::format("key file {}: {}", path, why)};
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool is_key(std::string_view text) {
  std::array<std::uint8_t, 32> binary{};
  return text.size() == kKeyLength && zmq_z85_decode(binary.data(), std::string(text).c_str()) != nullptr;
}

struct FileText {
  std::string text{};
  bool open_to_others = false;
};

Result<FileText> read_text(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return bad_file(path, fmt::format("cannot be opened: {}", std::strerror(errno)));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return system_error("cannot read key file", path);
  if (!S_ISREG(info.st_mode)) return bad_file(path, "not a regular file");
  FileText result{std::string(kMaxFileSize + 1, '\0'), (info.st_mode & kOthers) != 0};
  std::size_t size = 0;
  while (size < result.text.size()) {
    const auto count = ::read(file.get(), result.text.data() + size, result.text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("cannot read key file", path);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (size > kMaxFileSize) return bad_file(path, "too large for a key file");
  result.text.resize(size);
  return result;
}

/// Both halves are optional here; what is there is well-formed.
Result<KeyPair> parse(const std::string& path, std::string_view text) {
  KeyPair keys;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return bad_file(path, "a line is not of the form name = value");
    const std::string_view name = trim(line.substr(0, equals));
    if (name != "public" && name != "secret") return bad_file(path, "only `public` and `secret` are known");
    std::string& half = name == "public" ? keys.public_key : keys.secret_key;
    if (!half.empty()) return bad_file(path, fmt::format("`{}` is given twice", name));
    half = trim(line.substr(equals + 1));
    if (!is_key(half)) return bad_file(path, fmt::format("`{}` is not a key of 40 Z85 characters", name));
  }
  return keys;
}

Result<void> write_new(const std::string& path, std::string_view text, mode_t mode) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!file) return system_error("cannot create", path);
  // The umask may only take rights away from `mode`; the owner's are set in any case.
  if (::fchmod(file.get(), mode) == 0 &&
      ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(file.get()) == 0) {
    return {};
  }
  auto error = system_error("cannot write", path);
  ::unlink(path.c_str());
  return error;
}

}  // namespace

Result<KeyPair> generate_key_pair() {
  KeyText public_key{};
  KeyText secret_key{};
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0) {
    return {ErrorCode::system, "this libzmq is built without CURVE"};
  }
  return KeyPair{public_key.data(), secret_key.data()};
}

Result<void> write_key_pair(const std::string& path_prefix, const KeyPair& keys) {
  const std::string pair_path = path_prefix + ".key";
  const auto pair = fmt::format("public = {}\nsecret = {}\n", keys.public_key, keys.secret_key);
  if (auto written = write_new(pair_path, pair, S_IRUSR | S_IWUSR); !written) return written;
  const auto public_half = fmt::format("public = {}\n", keys.public_key);
  auto written = write_new(path_prefix + ".pub", public_half, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
  if (!written) ::unlink(pair_path.c_str());
  return written;
}

Result<KeyPair> read_key_file(const std::string& path) {
  const auto file = read_text(path);
  if (!file) return file.error();
  auto keys = parse(path, file->text);
  if (keys && keys->secret_key.empty() && !keys->public_key.empty())
    return bad_file(path, "it has no `secret`: this is a public key; the key pair (NAME.key) is needed here");
  if (file->open_to_others) {
    return bad_file(path, "others than its owner may read or change it; chmod 600 " + path);
  }
  if (!keys) return keys;
  if (keys->secret_key.empty()) return bad_file(path, "it has no `secret`; a key pair is needed here");
  KeyText derived{};
  if (zmq_curve_public(derived.data(), keys->secret_key.c_str()) != 0)
    return bad_file(path, "unusable `secret`");
  if (keys->public_key != derived.data()) return bad_file(path, "`public` does not belong to `secret`");
  return keys;
}

Result<std::string> read_public_key(const std::string& path) {
  const auto file = read_text(path);
  if (!file) return file.error();
  const auto keys = parse(path, file->text);
  if (!keys) return keys.error();
  if (keys->public_key.empty()) return bad_file(path, "it has no `public`");
  return keys->public_key;
}

}  // namespace processhub
