#include "tools/hubctl/keygen.hpp"

#include <filesystem>

#include "transport/zmq/curve_keys.hpp"

namespace processhub::hubctl {

namespace {

/// Folders that are there stay as they are; a new one is for its owner alone.
Result<void> make_private_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::create_directories(folder, error)) {
    if (!error) return {};
    return {ErrorCode::system, "cannot create folder " + folder.string() + ": " + error.message()};
  }
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (!error) return {};
  return {ErrorCode::system, "cannot protect folder " + folder.string() + ": " + error.message()};
}

}  // namespace

Result<Json> run_keygen(const Command& command) {
  const auto& name = command.words.front();
  if (name.empty() || name.find('/') != std::string::npos) {
    return {ErrorCode::invalid, "keygen: NAME is a file name without a folder; --dir names the folder"};
  }
  const std::filesystem::path folder = command.get("dir", ".");
  if (auto made = make_private_folder(folder); !made) return made.error();
  const auto prefix = (folder / name).string();
  auto keys = generate_key_pair();
  if (!keys) return keys.error();
  if (auto written = write_key_pair(prefix, *keys); !written) return written.error();
  return Json{{"secret", prefix + ".key"}, {"public", prefix + ".pub"}, {"public_key", keys->public_key}};
}

}  // namespace processhub::hubctl
