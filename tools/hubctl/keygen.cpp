#include "tools/hubctl/keygen.hpp"

#include <filesystem>

#include "transport/zmq/curve_keys.hpp"

namespace processhub::hubctl {

Result<Json> run_keygen(const Command& command) {
  const auto& name = command.words.front();
  if (name.empty() || name.find('/') != std::string::npos) {
    return {ErrorCode::invalid, "keygen: NAME is a file name without a folder; --dir names the folder"};
  }
  const auto prefix = (std::filesystem::path(command.get("dir", ".")) / name).string();
  auto keys = generate_key_pair();
  if (!keys) return keys.error();
  if (auto written = write_key_pair(prefix, *keys); !written) return written.error();
  return Json{{"secret", prefix + ".key"}, {"public", prefix + ".pub"}, {"public_key", keys->public_key}};
}

}  // namespace processhub::hubctl
